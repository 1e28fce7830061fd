#include "grant/moves.h"

#include "check.h"

static void fill(uint8_t *bytes, size_t len, uint64_t seed)
{
    for (size_t i = 0; i < len; i++) {
        seed = seed * 6364136223846793005ull + 1442695040888963407ull;
        bytes[i] = (uint8_t)(seed >> 56);
    }
}

TEST(random_moves_keep_pages_and_marks_right)
{
    uint8_t bytes[1024];

    for (uint64_t seed = 1; seed <= 200; seed++) {
        fill(bytes, sizeof(bytes), seed);
        grant_moves(bytes, sizeof(bytes));
    }
}

/* Builds DMAR tables as firmware does. */
#include "iommu/fake_table.h"

#include <string.h>

uint8_t fake_table[1024];
uint32_t fake_table_len;
static uint32_t last; /* where the last structure begins */

static void put(uint32_t at, uint64_t value, unsigned size)
{
    memcpy(fake_table + at, &value, size);
}

static void structure(unsigned type, uint32_t len)
{
    last = fake_table_len;
    fake_table_len += len;
    put(last, type, 2);
    put(last + 2, len, 2);
}

void table_begin(void)
{
    memset(fake_table, 0, sizeof(fake_table));
    fake_table[36] = 47; /* address width */
    fake_table[37] = 1;  /* interrupts can be remapped */
    fake_table_len = 48;
}

void table_unit(uint64_t base, uint16_t segment, bool rest)
{
    structure(0, 16);
    put(last + 4, rest, 1);
    put(last + 6, segment, 2);
    put(last + 8, base, 8);
}

void table_region(uint16_t segment)
{
    structure(1, 24);
    put(last + 6, segment, 2);
    put(last + 8, 0x7f000000, 8);
    put(last + 16, 0x7f00ffff, 8);
}

void table_scope(unsigned type, unsigned id, unsigned bus, const uint8_t devfn[3])
{
    unsigned hops = 0;

    for (; hops < 3 && devfn[hops] != 0xff; hops++) {
        put(fake_table_len + 6 + 2 * hops, devfn[hops] >> 3, 1);
        put(fake_table_len + 7 + 2 * hops, devfn[hops] & 7, 1);
    }
    put(fake_table_len, type, 1);
    put(fake_table_len + 1, 6 + 2 * hops, 1);
    put(fake_table_len + 4, id, 1);
    put(fake_table_len + 5, bus, 1);
    fake_table_len += 6 + 2 * hops;
    put(last + 2, fake_table_len - last, 2);
}

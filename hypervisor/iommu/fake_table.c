/* Builds DMAR and IVRS tables as firmware does. */
#include "iommu/fake_table.h"

#include <string.h>

#include "iommu/fake_units.h"

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

/* ---- IVRS -------------------------------------------------------------------------------- */

static void block(unsigned kind, uint32_t len)
{
    last = fake_table_len;
    fake_table_len += len;
    put(last, kind, 1);
    put(last + 2, len, 2);
}

void table_amd_begin(void)
{
    memset(fake_table, 0, sizeof(fake_table));
    fake_table_len = 48;
}

void table_amd_unit(unsigned kind, uint16_t bdf, uint64_t base, uint16_t segment)
{
    block(kind, kind == 0x10 ? 24 : 40);
    put(last + 4, bdf, 2);
    put(last + 6, FAKE_UNIT_AT, 2); /* where its capability is */
    put(last + 8, base, 8);
    put(last + 16, segment, 2);
}

static uint32_t entry(unsigned type, uint16_t bdf, uint32_t len)
{
    uint32_t at = fake_table_len;

    put(at, type, 1);
    put(at + 1, bdf, 2);
    fake_table_len += len;
    put(last + 2, fake_table_len - last, 2);
    return at;
}

void table_amd_entry(unsigned type, uint16_t bdf)
{
    (void)entry(type, bdf, type < 0x40 ? 4 : 8);
}

void table_amd_alias(unsigned type, uint16_t bdf, uint16_t as)
{
    put(entry(type, bdf, 8) + 5, as, 2);
}

void table_amd_special(unsigned variety, unsigned id, uint16_t as)
{
    uint32_t at = entry(AMD_SPECIAL, 0, 8);

    put(at + 4, id, 1);
    put(at + 5, as, 2);
    put(at + 7, variety, 1);
}

void table_amd_memory(unsigned kind, uint16_t first, uint16_t end)
{
    block(kind, 32);
    put(last + 4, first, 2);
    put(last + 6, end, 2);
    put(last + 16, 0x7f000000, 8);
    put(last + 24, 0x10000, 8);
}

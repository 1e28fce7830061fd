#include "iommu/dmar.h"

#include <string.h>

#include "check.h"
#include "fake_arch.h"

#include "iommu/fake_table.h"
#include "pci/function.h"

#define PATH(...) ((const uint8_t[3]){__VA_ARGS__})
#define END       0xff

/* Bridges: 00:01.0 leads to buses 1 to 3, 01:00.0 there to 2 and 3, 00:1c.0 was not numbered. */
static uint8_t bus[3][256 * 4096];

static void bridge(unsigned number, unsigned devfn, unsigned first, unsigned last)
{
    uint8_t *config = bus[number] + devfn * 4096;

    config[CONFIG_HEADER + 2] = 0x81;
    config[CONFIG_BUSES + 1] = (uint8_t)first;
    config[CONFIG_BUSES + 2] = (uint8_t)last;
}

volatile uint8_t *config_bus(unsigned number)
{
    return number < 3 ? bus[number] : NULL;
}

uint64_t device_read(const volatile uint8_t *at, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)at[i] << (8 * i);
    return value;
}

static void start(void)
{
    memset(bus, 0, sizeof(bus));
    bridge(0, 0x08, 1, 3);
    bridge(1, 0x00, 2, 3);
    bridge(0, 0xe0, 0, 0);
    table_begin();
}

static bool done(void)
{
    dmar_read(fake_table, fake_table_len);
    return dmar.usable;
}

TEST(several_units_and_the_rest)
{
    start();
    table_unit(0xfed90000, 0, false);
    table_scope(SCOPE_FUNCTION, 0, 0, PATH(0x10, END));
    table_scope(SCOPE_FUNCTION, 0, 0, PATH(0x08, 0x08, END));
    table_unit(0xfed91000, 0, true);
    table_scope(SCOPE_IOAPIC, 7, 0xf0, PATH(0xf8, END));
    EXPECT(done() && dmar.unit_count == 2);
    EXPECT(dmar.unit[0].base == 0xfed90000 && !dmar.unit[0].rest);
    EXPECT(dmar_unit_of(0x0010) == 0);
    EXPECT(dmar_unit_of(0x0108) == 0); /* through a bridge, by the bus that it has now */
    EXPECT(dmar_unit_of(0x0100) == 1 && dmar_unit_of(0x0011) == 1 && dmar_unit_of(0x0208) == 1);
    EXPECT(dmar_ioapic(7) == 0xf0f8 && dmar_ioapic(8) == 0);
}

TEST(all_behind_a_bridge)
{
    start();
    table_unit(0xfed90000, 0, false);
    table_scope(SCOPE_BRIDGE, 0, 0, PATH(0x08, 0x00, END));
    EXPECT(done());
    EXPECT(dmar_unit_of(0x0100) == 0); /* the bridge itself */
    EXPECT(dmar_unit_of(0x0200) == 0 && dmar_unit_of(0x03ff) == 0);
    EXPECT(strstr(dmar_refusal(0x0108), "no unit"));
    EXPECT(dmar_unit_of(0x0108) < 0 && dmar_unit_of(0x0008) < 0 && dmar_unit_of(0x0400) < 0);
}

/* A path through a bridge that leads nowhere names nothing, least of all something on bus 0. */
TEST(a_path_to_nothing)
{
    start();
    table_unit(0xfed90000, 0, false);
    table_scope(SCOPE_FUNCTION, 0, 0, PATH(0xe0, 0x20, END));
    table_scope(SCOPE_FUNCTION, 0, 0, PATH(0x40, 0x20, END));
    table_scope(SCOPE_FUNCTION, 0, 9, PATH(0x00, 0x20, END));
    table_scope(SCOPE_BRIDGE, 0, 0, PATH(0x40, END));
    EXPECT(done());
    EXPECT(dmar_unit_of(0x0020) < 0 && dmar_unit_of(0x0120) < 0 && dmar_unit_of(0x0000) < 0);
}

TEST(memory_of_firmware)
{
    start();
    table_unit(0xfed90000, 0, true);
    table_region(0);
    table_scope(SCOPE_FUNCTION, 0, 0, PATH(0xa0, END));
    table_scope(SCOPE_FUNCTION, 0, 0, PATH(0xe8, END));
    table_region(1);
    table_scope(SCOPE_FUNCTION, 0, 0, PATH(0xb0, END));
    EXPECT(done());
    EXPECT(strstr(dmar_refusal(0x00a0), "firmware") && strstr(dmar_refusal(0x00e8), "firmware"));
    EXPECT(!dmar_refusal(0x00b0) && !dmar_refusal(0x0010));
    EXPECT(dmar_unit_of(0x00a0) == 0);
}

TEST(structures_of_later_times_are_passed)
{
    start();
    memcpy(fake_table + fake_table_len, "\x63\0\x0a\0\1\2\3\4\5\6", 10);
    fake_table_len += 10;
    table_unit(0xfed90000, 0, true);
    EXPECT(done() && dmar_unit_of(0x0123) == 0);
}

/* What is not understood whole is not used at all: a function could be missing. */
TEST(not_usable)
{
    start();
    EXPECT(!done()); /* no unit */
    table_unit(0xfed90000, 0, true);
    EXPECT(done());
    fake_table[37] = 0; /* no remapping of interrupts */
    EXPECT(!done());
    fake_table[37] = 1;
    table_unit(0xfed91000, 1, false); /* who knows who is there */
    EXPECT(!done());
    start();
    for (unsigned i = 0; i <= DMAR_UNITS; i++)
        table_unit(0xfed90000 + 0x1000 * i, 0, false);
    EXPECT(!done());
    start();
    table_unit(0xfed90000, 0, true);
    table_scope(SCOPE_FUNCTION, 0, 0, PATH(END)); /* a path without a step */
    EXPECT(!done());
}

/* Cut anywhere, and every length of a structure and of a scope. */
TEST(damaged)
{
    uint32_t whole;

    start();
    table_unit(0xfed90000, 0, false);
    table_scope(SCOPE_FUNCTION, 0, 0, PATH(0x10, END));
    table_region(0);
    table_scope(SCOPE_FUNCTION, 0, 0, PATH(0x10, END));
    whole = fake_table_len;
    EXPECT(done());
    for (uint32_t len = 0; len < whole; len++) {
        dmar_read(fake_table, len);
        EXPECT(!dmar.usable || len == 48 + 24); /* between the two structures */
    }
    for (unsigned len = 0; len < 256; len++) {
        fake_table[48 + 2] = (uint8_t)len;
        dmar_read(fake_table, whole);
        fake_table[48 + 2] = 24;
        fake_table[48 + 16 + 1] = (uint8_t)len;
        dmar_read(fake_table, whole);
        EXPECT(!dmar.usable || len == 8);
        fake_table[48 + 16 + 1] = 8;
    }
}

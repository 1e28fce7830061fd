#include "iommu/ivrs.h"

#include <string.h>

#include "check.h"
#include "fake_arch.h"

#include "iommu/fake_table.h"

#define UNIT       0x10u /* kinds of blocks */
#define EXTENDED   0x11u
#define NAMED      0x40u
#define MEMORY_ALL 0x20u
#define MEMORY_ONE 0x21u
#define MEMORY     0x22u

#define ONE_EXTENDED  0x46u
#define FROM_EXTENDED 0x47u

static void unit(unsigned kind, unsigned number)
{
    table_amd_unit(kind, (uint16_t)(number << 8 | 2), 0xfd000000 + number * 0x100000ull, 0);
}

static bool done(void)
{
    ivrs_read(fake_table, fake_table_len);
    return ivrs.usable;
}

static void raw(const void *bytes, uint32_t len)
{
    memcpy(fake_table + fake_table_len, bytes, len);
    fake_table_len += len;
}

TEST(several_amd_units)
{
    table_amd_begin();
    unit(UNIT, 0);
    table_amd_entry(AMD_ONE, 0x0010);
    table_amd_entry(AMD_FROM, 0x0100);
    table_amd_entry(AMD_TO, 0x02ff);
    unit(UNIT, 0x40);
    fake_table[fake_table_len - 23] = 0x0d; /* flags of the second */
    table_amd_entry(FROM_EXTENDED, 0x4000);
    table_amd_entry(AMD_TO, 0x40ff);
    table_amd_entry(ONE_EXTENDED, 0x4108);
    EXPECT(done() && ivrs.unit_count == 2);
    EXPECT(ivrs.unit[0].base == 0xfd000000 && ivrs.unit[0].bdf == 0x0002);
    EXPECT(ivrs.unit[1].base == 0x101000000 && ivrs.unit[1].bdf == 0x4002);
    EXPECT(ivrs.unit[0].flags == 0);
    EXPECT(ivrs.unit[1].flags == (1 | 4 | 8));
    EXPECT(ivrs_unit_of(0x0010) == 0 && ivrs_unit_of(0x0011) < 0 && ivrs_unit_of(0x000f) < 0);
    EXPECT(ivrs_unit_of(0x0100) == 0 && ivrs_unit_of(0x02ff) == 0 && ivrs_unit_of(0x0300) < 0);
    EXPECT(ivrs_unit_of(0x4000) == 1 && ivrs_unit_of(0x40ff) == 1 && ivrs_unit_of(0x4100) < 0);
    EXPECT(ivrs_unit_of(0x4108) == 1 && !ivrs_refusal(0x4108));
    EXPECT(strstr(ivrs_refusal(0x4100), "no unit"));
}

/* Firmware that says all first means the rest. */
TEST(what_is_said_later_counts)
{
    table_amd_begin();
    unit(UNIT, 0);
    table_amd_entry(AMD_ALL, 0);
    unit(UNIT, 1);
    table_amd_entry(AMD_FROM, 0x0100);
    table_amd_entry(AMD_TO, 0x01ff);
    EXPECT(done());
    EXPECT(ivrs_unit_of(0x0000) == 0 && ivrs_unit_of(0xffff) == 0);
    EXPECT(ivrs_unit_of(0x0100) == 1 && ivrs_unit_of(0x01ff) == 1 && ivrs_unit_of(0x0200) == 0);
}

TEST(requests_under_another_name)
{
    table_amd_begin();
    unit(UNIT, 0);
    table_amd_entry(AMD_ALL, 0);
    table_amd_alias(AMD_ONE_ALIASED, 0x0200, 0x00a4);
    table_amd_alias(AMD_FROM_ALIASED, 0x0300, 0x00a5);
    table_amd_entry(AMD_TO, 0x03ff);
    EXPECT(done());
    EXPECT(strstr(ivrs_refusal(0x0200), "another function's name"));
    EXPECT(strstr(ivrs_refusal(0x0300), "another") && strstr(ivrs_refusal(0x03ff), "another"));
    EXPECT(!ivrs_refusal(0x0201) && !ivrs_refusal(0x02ff) && !ivrs_refusal(0x0400));
}

TEST(devices_that_are_no_functions)
{
    /* With a name of ACPI's, and no character in its own. */
    uint8_t named[22] = {0xf0, 0x98, 0x00, 0, 'A', 'M', 'D', 'I', '0', '0', '2', '0'};

    table_amd_begin();
    unit(NAMED, 0);
    table_amd_special(AMD_HPET, 0, 0x00a0);
    table_amd_special(AMD_IOAPIC, 33, 0x00a1);
    table_amd_special(AMD_IOAPIC, 255, 0x4001);
    table_amd_entry(AMD_FROM, 0x0008);
    table_amd_entry(AMD_TO, 0x00ff);
    raw(named, sizeof(named));
    fake_table[48 + 2] = (uint8_t)(fake_table_len - 48);
    EXPECT(done());
    EXPECT(ivrs.ioapic[33] == 0x00a1 && ivrs.ioapic[255] == 0x4001 && ivrs.ioapic[0] == 0);
    EXPECT(strstr(ivrs_refusal(0x00a1), "I/O APIC") && strstr(ivrs_refusal(0x4001), "I/O APIC"));
    EXPECT(ivrs_unit_of(0x4001) == 0 && !ivrs_refusal(0x00a2));
    /* The name's length is beyond the block. */
    fake_table[fake_table_len - 1] = 1;
    EXPECT(!done());
}

TEST(memory_of_firmware_for_amd)
{
    table_amd_begin();
    unit(UNIT, 0);
    table_amd_entry(AMD_ALL, 0);
    table_amd_memory(MEMORY_ONE, 0x00a0, 0x00ff);
    table_amd_memory(MEMORY, 0x0300, 0x0307);
    EXPECT(done());
    EXPECT(strstr(ivrs_refusal(0x00a0), "firmware") && !ivrs_refusal(0x00a1));
    EXPECT(strstr(ivrs_refusal(0x0300), "firmware") && strstr(ivrs_refusal(0x0307), "firmware"));
    EXPECT(!ivrs_refusal(0x02ff) && !ivrs_refusal(0x0308));
    table_amd_memory(MEMORY_ALL, 0, 0);
    EXPECT(done() && strstr(ivrs_refusal(0x1234), "firmware"));
}

/* The same units once more, for those who know later kinds: which say more, or other things. */
TEST(the_latest_kind_counts)
{
    static const unsigned kinds[] = {UNIT, EXTENDED, NAMED};

    for (unsigned last = 0; last < 3; last++) {
        table_amd_begin();
        for (unsigned k = 0; k <= last; k++) {
            unit(kinds[k], 0);
            table_amd_entry(AMD_ONE, (uint16_t)(0x0010 + k));
        }
        EXPECT(done() && ivrs.unit_count == 1);
        for (unsigned k = 0; k < 3; k++)
            EXPECT((ivrs_unit_of((uint16_t)(0x0010 + k)) == 0) == (k == last));
    }
    /* Whatever their order. */
    table_amd_begin();
    unit(NAMED, 0);
    table_amd_entry(AMD_ONE, 0x0012);
    unit(UNIT, 0);
    table_amd_entry(AMD_ONE, 0x0010);
    EXPECT(done() && ivrs_unit_of(0x0012) == 0 && ivrs_unit_of(0x0010) < 0);
}

/* A unit that is there in an older kind only would stay off, and its devices free. */
TEST(a_unit_without_the_latest_kind)
{
    table_amd_begin();
    unit(UNIT, 0);
    table_amd_entry(AMD_ALL, 0);
    unit(UNIT, 1);
    table_amd_entry(AMD_ONE, 0x0100);
    unit(EXTENDED, 0);
    table_amd_entry(AMD_ALL, 0);
    EXPECT(!done());
    unit(EXTENDED, 1);
    table_amd_entry(AMD_ONE, 0x0100);
    EXPECT(done() && ivrs.unit_count == 2);
}

TEST(blocks_of_later_times_are_passed)
{
    table_amd_begin();
    raw("\x63\0\x0a\0\1\2\3\4\5\6", 10);
    unit(UNIT, 0);
    table_amd_entry(AMD_ALL, 0);
    raw("\0\0\0\0", 4); /* padding */
    fake_table[58 + 2] = (uint8_t)(fake_table_len - 58);
    EXPECT(done() && ivrs_unit_of(0x0123) == 0);
}

/* What is not understood whole is not used at all: a function could be missing. */
TEST(tables_of_amd_not_usable)
{
    table_amd_begin();
    EXPECT(!done()); /* no unit */
    table_amd_memory(MEMORY_ALL, 0, 0);
    EXPECT(!done());
    table_amd_begin();
    table_amd_unit(UNIT, 2, 0xfd000000, 1); /* who knows who is there */
    EXPECT(!done());
    table_amd_begin();
    for (unsigned i = 0; i < IVRS_UNITS; i++)
        unit(UNIT, i);
    EXPECT(done());
    unit(UNIT, IVRS_UNITS);
    EXPECT(!done());
}

TEST(ranges_of_amd_not_usable)
{
    table_amd_begin();
    unit(UNIT, 0);
    table_amd_entry(AMD_TO, 0x0010); /* from where? */
    EXPECT(!done());
    table_amd_begin();
    unit(UNIT, 0);
    table_amd_entry(AMD_FROM, 0x0010);
    table_amd_entry(AMD_TO, 0x0020);
    table_amd_entry(AMD_TO, 0x0030);
    EXPECT(!done());
    table_amd_begin();
    unit(UNIT, 0);
    table_amd_entry(AMD_FROM, 0x0010);
    table_amd_entry(AMD_TO, 0x000f);
    EXPECT(!done());
    table_amd_begin();
    unit(UNIT, 0);
    table_amd_entry(AMD_FROM, 0x0010); /* to where? */
    unit(UNIT, 1);
    table_amd_entry(AMD_TO, 0x0020);
    EXPECT(!done());
    table_amd_begin();
    unit(UNIT, 0);
    for (unsigned i = 0; i < 200; i++) /* more than there is room for */
        table_amd_entry(AMD_ONE, (uint16_t)i);
    EXPECT(!done());
}

/* Cut anywhere, and every length of a block and of an entry. */
TEST(damaged_tables_of_amd)
{
    uint32_t whole;

    table_amd_begin();
    unit(UNIT, 0);
    table_amd_entry(AMD_ONE, 0x0010);
    table_amd_special(AMD_IOAPIC, 0, 0x00a0);
    table_amd_memory(MEMORY_ONE, 0x0010, 0);
    whole = fake_table_len;
    EXPECT(done());
    for (uint32_t len = 0; len < whole; len++) {
        uint8_t copy[128];

        memcpy(copy, fake_table, sizeof(copy));
        memset(copy + len, 0xff, sizeof(copy) - len);
        ivrs_read(copy, len);
        EXPECT(ivrs.usable == (len == whole - 32)); /* between the two blocks */
    }
    for (unsigned len = 0; len < 256; len++) {
        fake_table[48 + 2] = (uint8_t)len;
        /* Or all of the table: the other block's bytes would do as entries. */
        EXPECT(done() == (len == 36 || len == whole - 48));
        fake_table[48 + 2] = 36;
        fake_table[84 + 2] = (uint8_t)len;
        EXPECT(done() == (len == 32));
        fake_table[84 + 2] = 32;
        fake_table[48 + 24] = (uint8_t)len; /* its kind tells an entry's length */
        (void)done();
        EXPECT(ivrs_unit_of(0x00a0) <= 0);
        fake_table[48 + 24] = AMD_ONE;
    }
    EXPECT(done());
}

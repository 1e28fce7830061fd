/* Sizes, numbers, identities and device names. */
#include "value.h"

#include <string.h>

#include "check.h"
#include "config.h"

TEST(units_are_libvirts)
{
    EXPECT(value_unit("") == 1024);
    EXPECT(value_unit("b") == 1 && value_unit("bytes") == 1 && value_unit("Byte") == 1);
    EXPECT(value_unit("K") == 1024 && value_unit("KiB") == 1024 && value_unit("KB") == 1000);
    EXPECT(value_unit("M") == 1 << 20 && value_unit("MB") == 1000000);
    EXPECT(value_unit("g") == 1 << 30 && value_unit("GiB") == 1 << 30);
    EXPECT(value_unit("TiB") == 1ull << 40 && value_unit("PB") == 1000000000000000ull);
    EXPECT(value_unit("EiB") == 1ull << 60);
}

TEST(sizes_are_rounded_up_to_kib)
{
    uint64_t bytes;

    EXPECT(value_size(1, 1, &bytes) && bytes == 1024);
    EXPECT(value_size(1024, 1, &bytes) && bytes == 1024);
    EXPECT(value_size(1025, 1, &bytes) && bytes == 2048);
    EXPECT(!value_size(1ull << 60, 1ull << 20, &bytes));
    EXPECT(!value_size(8, 1ull << 60, &bytes));
    EXPECT(value_size(7, 1ull << 60, &bytes) && bytes == 7ull << 60);
}

TEST(numbers)
{
    EXPECT(value_number("0x1f") == 31 && value_number("31") == 31);
    EXPECT(value_number("04") == 4 && value_number("0") == 0 && value_number("0xFFFF") == 65535);
}

TEST(identities)
{
    uint8_t a[16];
    uint8_t b[16];

    value_uuid("00112233-4455-6677-8899-aAbBcCdDeEfF", a);
    value_uuid("00112233445566778899aabbccddeeff", b);
    EXPECT(memcmp(a, b, 16) == 0 && a[0] == 0 && a[1] == 0x11 && a[15] == 0xff);
    value_uuid_of_name("debian", a);
    value_uuid_of_name("debiam", b);
    EXPECT(memcmp(a, b, 16) != 0);
    EXPECT(a[6] >> 4 == 8 && a[8] >> 6 == 2);
}

TEST(paths_that_climb)
{
    EXPECT(value_path_climbs("/..") && value_path_climbs("/a/../b") && value_path_climbs("/./a"));
    EXPECT(!value_path_climbs("/..a/b../.c") && !value_path_climbs("/a"));
}

TEST(disk_numbers_are_xens)
{
    EXPECT(config_disk_number("xvda") == 51712 && config_disk_number("xvdb") == 51728);
    EXPECT(config_disk_number("xvdp") == (202u << 8 | 240));
    EXPECT(config_disk_number("xvdq") == (1u << 28 | 16u << 8));
    EXPECT(config_disk_number("xvdaa") == (1u << 28 | 26u << 8));
    EXPECT(config_disk_number("xvdzz") == (1u << 28 | 701u << 8));
    EXPECT(config_disk_number("xvd") == 0 && config_disk_number("sda") == 0);
    EXPECT(config_disk_number("xvda1") == 0 && config_disk_number("xvdaaa") == 0);
}

TEST(ethernet_addresses)
{
    static const uint8_t uuid[16] = {1, 2, 3};
    uint8_t mac[6];
    uint8_t other[6];

    value_mac("00:16:3E:0f:a9:C5", mac);
    EXPECT(memcmp(mac, "\x00\x16\x3e\x0f\xa9\xc5", 6) == 0);
    value_mac_of(uuid, 0, mac);
    EXPECT(memcmp(mac, "\x00\x16\x3e", 3) == 0);
    value_mac_of(uuid, 0, other);
    EXPECT(memcmp(mac, other, 6) == 0);
    value_mac_of(uuid, 1, other);
    EXPECT(memcmp(mac, other, 6) != 0);
}

/* Uuids that differ little, with four interfaces each, give addresses like dice would. */
TEST(made_addresses_differ)
{
    static uint32_t made[4000];
    unsigned same = 0;

    for (unsigned i = 0; i < 4000; i++) {
        uint8_t uuid[16] = {[14] = (uint8_t)(i / 4 >> 8), [15] = (uint8_t)(i / 4)};
        uint8_t mac[6];

        value_mac_of(uuid, i % 4, mac);
        made[i] = (uint32_t)(mac[3] << 16 | mac[4] << 8 | mac[5]);
        for (unsigned j = 0; j < i; j++)
            same += made[i] == made[j];
    }
    EXPECT(same <= 3); /* chance alone gives 0.5 */
}

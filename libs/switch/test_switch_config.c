#include "switch.h"

#include <string.h>

#include <check.h>

static struct switch_port_config config;

static bool has_tag(unsigned vid)
{
    return config.vlans.tagged[vid / 64] >> vid % 64 & 1;
}

TEST(mac)
{
    EXPECT(switch_config_mac(&config, "52:54:00:aB:cd:0f") == 0);
    EXPECT(memcmp(config.mac, "\x52\x54\x00\xab\xcd\x0f", 6) == 0);

    static const char *const wrong[] = {"",
                                        "52:54:00:ab:cd",
                                        "52:54:00:ab:cd:0f:",
                                        "5254:00:ab:cd:0f",
                                        "52:54:00:ab:cd:0g",
                                        "01:54:00:ab:cd:0f",
                                        "52:54:00:ab:cd:f",
                                        "52-54-00-ab-cd-0f"};

    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        EXPECT(switch_config_mac(&config, wrong[i]) < 0);
    EXPECT(config.mac[5] == 0x0f);
}

TEST(vlan)
{
    EXPECT(switch_config_vlan(&config, "42") == 0);
    EXPECT(config.vlans.native == 42 && !has_tag(42));
    EXPECT(switch_config_vlan(&config, "trunk 1,64,4094") == 0);
    EXPECT(has_tag(1) && has_tag(64) && has_tag(4094) && !has_tag(2));
    EXPECT(config.vlans.native == SWITCH_VLAN_NONE);
    EXPECT(switch_config_vlan(&config, "trunk 7 native 9") == 0);
    EXPECT(has_tag(7) && !has_tag(1) && config.vlans.native == 9);

    static const char *const wrong[] = {"",
                                        "0",
                                        "4095",
                                        "4294967297",
                                        "12x",
                                        "trunk",
                                        "trunk ",
                                        "trunk 1,",
                                        "trunk 1,,2",
                                        "trunk 1 native",
                                        "trunk 1 native 0",
                                        "trunk 1 native 2 ",
                                        "-1",
                                        "18446744073709551617"};

    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        EXPECT(switch_config_vlan(&config, wrong[i]) < 0);
    EXPECT(has_tag(7) && config.vlans.native == 9);
}

TEST(filter)
{
    EXPECT(switch_config_filter(&config, "no-mac-spoofing  no-arp-spoofing") == 0);
    EXPECT(config.filters == (SWITCH_NO_MAC_SPOOFING | SWITCH_NO_ARP_SPOOFING));
    EXPECT(switch_config_filter(&config, "no-mac-spoofing no-such") < 0);
    EXPECT(switch_config_filter(&config, "clean-traffic") == 0);
    EXPECT(config.filters == SWITCH_CLEAN_TRAFFIC);
    EXPECT(switch_config_filter(&config, "") == 0 && config.filters == 0);
}

TEST(ip)
{
    EXPECT(switch_config_ip(&config, "10.0.0.2 fe80::1") == 0);
    EXPECT(config.address_count == 2 && !config.addresses[0].is6 && config.addresses[1].is6);
    EXPECT(memcmp(config.addresses[0].bytes, "\x0a\x00\x00\x02", 4) == 0);
    EXPECT(config.addresses[1].bytes[0] == 0xfe && config.addresses[1].bytes[15] == 1);
    EXPECT(switch_config_ip(&config, "10.0.0") < 0);
    EXPECT(switch_config_ip(&config, "10.0.0.2/24") < 0);
    EXPECT(switch_config_ip(&config,
                            "1.1.1.1 2.2.2.2 3.3.3.3 4.4.4.4 5.5.5.5 6.6.6.6 7.7.7.7 8.8.8.8 "
                            "1.1.1.1 2.2.2.2 3.3.3.3 4.4.4.4 5.5.5.5 6.6.6.6 7.7.7.7 8.8.8.8 "
                            "9.9.9.9") < 0);
    EXPECT(config.address_count == 2);
}

TEST(rate)
{
    struct switch_rate rate = {0};

    EXPECT(switch_config_rate(&rate, "1000 2000 4294967295") == 0);
    EXPECT(rate.average == 1000 && rate.peak == 2000 && rate.burst == UINT32_MAX);
    EXPECT(switch_config_rate(&rate, "1000 2000") < 0);
    EXPECT(switch_config_rate(&rate, "1000 2000 4294967296") < 0);
    EXPECT(switch_config_rate(&rate, "1000 2000 3 ") < 0);
    EXPECT(switch_config_rate(&rate, "a b c") < 0);
}

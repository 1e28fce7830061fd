/* A port's configuration, from the texts that the toolstack writes. */
#include "switch.h"

#include <arpa/inet.h>
#include <string.h>

#include <xen/errno.h>

#define WORD_MAX 64u

static const struct {
    const char *word;
    uint8_t filters;
} filter_words[] = {
    {"no-mac-spoofing", SWITCH_NO_MAC_SPOOFING},
    {"no-ip-spoofing", SWITCH_NO_IP_SPOOFING},
    {"no-arp-spoofing", SWITCH_NO_ARP_SPOOFING},
    {"clean-traffic", SWITCH_CLEAN_TRAFFIC},
};

/* The next word into buf: its length, 0 at the end, -1 if it is too long to be any. */
static int next_word(const char **text, char buf[static WORD_MAX])
{
    size_t len;

    *text += strspn(*text, " ");
    len = strcspn(*text, " ");
    if (len >= WORD_MAX)
        return -1;
    memcpy(buf, *text, len);
    buf[len] = 0;
    *text += len;
    return (int)len;
}

/* A decimal number, of digits alone, in front of whatever else there is. */
static bool take_number(const char **text, uint32_t max, uint32_t *number)
{
    uint64_t value = 0;
    const char *at = *text;

    for (; *at >= '0' && *at <= '9' && value <= max; at++)
        value = value * 10 + (uint64_t)(*at - '0');
    if (at == *text || value > max)
        return false;
    *text = at;
    *number = (uint32_t)value;
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int switch_config_mac(struct switch_port_config *config, const char *text)
{
    uint8_t mac[6];

    for (unsigned i = 0; i < 6; i++) {
        int high = hex_digit(text[0]);
        int low = high < 0 ? -1 : hex_digit(text[1]);

        if (low < 0 || text[2] != (i < 5 ? ':' : 0))
            return -XEN_EINVAL;
        mac[i] = (uint8_t)(high << 4 | low);
        text += 3;
    }
    if (mac[0] & 1)
        return -XEN_EINVAL;
    memcpy(config->mac, mac, sizeof(mac));
    return 0;
}

static bool take_vid(const char **text, uint32_t *vid)
{
    return take_number(text, SWITCH_VLANS - 2, vid) && *vid > 0;
}

/* A,B,... [native N] */
static int read_trunk(const char *text, struct switch_vlans *vlans)
{
    uint32_t vid;

    vlans->native = SWITCH_VLAN_NONE;
    for (;; text++) {
        if (!take_vid(&text, &vid))
            return -XEN_EINVAL;
        vlans->tagged[vid / 64] |= UINT64_C(1) << vid % 64;
        if (*text != ',')
            break;
    }
    if (strncmp(text, " native ", 8) == 0) {
        text += 8;
        if (!take_vid(&text, &vid))
            return -XEN_EINVAL;
        vlans->native = (uint16_t)vid;
    }
    return *text == 0 ? 0 : -XEN_EINVAL;
}

int switch_config_vlan(struct switch_port_config *config, const char *text)
{
    struct switch_vlans vlans = {0};
    uint32_t vid;

    if (strncmp(text, "trunk ", 6) == 0) {
        if (read_trunk(text + 6, &vlans) < 0)
            return -XEN_EINVAL;
    } else {
        if (!take_vid(&text, &vid) || *text != 0)
            return -XEN_EINVAL;
        vlans.native = (uint16_t)vid;
    }
    config->vlans = vlans;
    return 0;
}

static uint8_t filter_of(const char *word)
{
    for (unsigned i = 0; i < sizeof(filter_words) / sizeof(filter_words[0]); i++)
        if (strcmp(word, filter_words[i].word) == 0)
            return filter_words[i].filters;
    return 0;
}

int switch_config_filter(struct switch_port_config *config, const char *text)
{
    char word[WORD_MAX];
    uint8_t filters = 0;
    int len;

    while ((len = next_word(&text, word)) != 0) {
        uint8_t filter = len < 0 ? 0 : filter_of(word);

        if (filter == 0)
            return -XEN_EINVAL;
        filters |= filter;
    }
    config->filters = filters;
    return 0;
}

int switch_config_ip(struct switch_port_config *config, const char *text)
{
    struct switch_address addresses[SWITCH_ADDRESSES_MAX] = {0};
    char word[WORD_MAX];
    uint8_t count = 0;
    int len;

    while ((len = next_word(&text, word)) != 0) {
        if (len < 0 || count == SWITCH_ADDRESSES_MAX)
            return -XEN_EINVAL;

        struct switch_address *a = &addresses[count++];

        a->is6 = strchr(word, ':') != NULL;
        if (inet_pton(a->is6 ? AF_INET6 : AF_INET, word, a->bytes) != 1)
            return -XEN_EINVAL;
    }
    memcpy(config->addresses, addresses, sizeof(addresses));
    config->address_count = count;
    return 0;
}

int switch_config_rate(struct switch_rate *rate, const char *text)
{
    uint32_t values[3] = {0};

    for (unsigned i = 0; i < 3; i++) {
        if (!take_number(&text, UINT32_MAX, &values[i]))
            return -XEN_EINVAL;
        if (*text != (i < 2 ? ' ' : 0))
            return -XEN_EINVAL;
        text += i < 2;
    }
    *rate = (struct switch_rate){.average = values[0], .peak = values[1], .burst = values[2]};
    return 0;
}

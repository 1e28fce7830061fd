/* Values of XML text that are more than text. */
#include "value.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config.h"

#define KIB 1024u

uint64_t value_unit(const char *text)
{
    static const char powers[] = "kmgtpe";
    const char *power = text[0] ? strchr(powers, text[0] | 0x20) : powers;
    uint64_t base = KIB;
    uint64_t unit = 1;

    if (!power)
        return 1; /* b, byte, bytes */
    /* "KB" counts in thousands; "K" and "KiB" do not. */
    if (text[0] && strlen(text) == 2)
        base = 1000;
    for (long i = power - powers; i >= 0; i--)
        unit *= base;
    return unit;
}

bool value_size(uint64_t amount, uint64_t scale, uint64_t *bytes)
{
    if (__builtin_mul_overflow(amount, scale, bytes) || *bytes > INT64_MAX - KIB)
        return false;
    *bytes = (*bytes + KIB - 1) / KIB * KIB;
    return true;
}

uint32_t value_number(const char *text)
{
    bool is_hexadecimal = text[0] == '0' && text[1] == 'x';

    return (uint32_t)strtoul(text, NULL, is_hexadecimal ? 16 : 10);
}

static uint8_t digit(char c)
{
    return (uint8_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

void value_uuid(const char *text, uint8_t uuid[16])
{
    unsigned count = 0;

    memset(uuid, 0, 16);
    for (; *text && count < 32; text++) {
        if (*text == '-')
            continue;
        uuid[count / 2] = (uint8_t)(uuid[count / 2] << 4 | digit(*text));
        count++;
    }
}

/* FNV-1a of 128 bits. Not a cryptographic hash: what goes in is the owner's own. */
static unsigned __int128 hash_of(const void *bytes, size_t len)
{
    const unsigned __int128 prime = (unsigned __int128)1 << 88 | 0x13b;
    unsigned __int128 hash = (unsigned __int128)0x6c62272e07bb0142u << 64 | 0x62b821756295c58du;

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ ((const uint8_t *)bytes)[i]) * prime;
    return hash;
}

/* Marked as a UUID of version 8 (RFC 9562: made as its maker likes). */
void value_uuid_of_name(const char *name, uint8_t uuid[16])
{
    unsigned __int128 hash = hash_of(name, strlen(name));

    for (unsigned i = 16; i > 0; i--, hash >>= 8)
        uuid[i - 1] = (uint8_t)hash;
    uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x80);
    uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
}

void value_mac(const char *text, uint8_t mac[6])
{
    for (unsigned i = 0; i < 6; i++)
        mac[i] = (uint8_t)(digit(text[3 * i]) << 4 | digit(text[3 * i + 1]));
}

/* In the block that is Xen's, as Xen's own tools choose. */
void value_mac_of(const uint8_t uuid[16], uint32_t number, uint8_t mac[6])
{
    uint8_t seed[20];

    memcpy(seed, uuid, 16);
    for (unsigned i = 0; i < 4; i++)
        seed[16 + i] = (uint8_t)(number >> 8 * i);

    unsigned __int128 hash = hash_of(seed, sizeof(seed));

    /* All of the hash goes into the three bytes: its upper ones know little of the last input. */
    memcpy(mac, "\x00\x16\x3e\0\0", 6);
    for (unsigned i = 0; i < 15; i++, hash >>= 8)
        mac[3 + i % 3] ^= (uint8_t)hash;
}

bool value_path_climbs(const char *path)
{
    while (*path) {
        size_t len = strcspn(path, "/");

        if ((len == 1 && path[0] == '.') || (len == 2 && path[0] == '.' && path[1] == '.'))
            return true;
        path += len;
        path += *path == '/';
    }
    return false;
}

uint32_t config_disk_number(const char *target)
{
    /* Xen's numbers: 16 disks of 16 minors at major 202, from there on 256 minors each. */
    uint32_t index = 0;
    size_t len = strlen(target);

    if (strncmp(target, "xvd", 3) != 0 || len < 4 || len > 5)
        return 0;
    for (const char *c = target + 3; *c; c++) {
        if (*c < 'a' || *c > 'z')
            return 0;
        index = index * 26 + (uint32_t)(*c - 'a') + 1;
    }
    index--;
    return index < 16 ? 202u << 8 | index << 4 : 1u << 28 | index << 8;
}

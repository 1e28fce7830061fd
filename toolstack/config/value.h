/* Values of XML text that are more than text: sizes, numbers, identities, device names. */
#ifndef VALUE_H
#define VALUE_H

#include <stdbool.h>
#include <stdint.h>

/* libvirt's units: bytes in one of them. The text has the right form; "" is KiB. */
uint64_t value_unit(const char *text);

/* amount * scale, rounded up to 1 KiB as libvirt does; false if that is too large. */
bool value_size(uint64_t amount, uint64_t scale, uint64_t *bytes);

/* A decimal number, or a hexadecimal one after 0x; the text has the right form. */
uint32_t value_number(const char *text);

/* 32 hexadecimal digits, dashes between them do not count. */
void value_uuid(const char *text, uint8_t uuid[16]);

/* The identity of a domain that was given none: of its name, the same on every host. */
void value_uuid_of_name(const char *name, uint8_t uuid[16]);

/* Six pairs of hexadecimal digits with colons between them. */
void value_mac(const char *text, uint8_t mac[6]);

/* The address of a domain's interface that was given none: always the same. */
void value_mac_of(const uint8_t uuid[16], uint32_t number, uint8_t mac[6]);

/* A path with a component "." or "..". */
bool value_path_climbs(const char *path);

#endif

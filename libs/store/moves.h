/* For tests that move at random: requests made of bytes, small limits for them to meet. */
#ifndef STORE_MOVES_H
#define STORE_MOVES_H

#include <string.h>

#include "store_server.h"

#define STORE   7
#define CLIENTS 4 /* 0 is the control domain */

struct input {
    const uint8_t *data;
    size_t left;
};

struct message {
    struct xsd_sockmsg header;
    char payload[512];
};

static const struct store_limits moves_limits = {
    .nodes = 12,
    .node_bytes = 256,
    .perms = 3,
    .watches = 4,
    .events = 8,
    .transactions = 3,
    .transaction_nodes = 10,
    .domain_bytes = 6000,
    .total_bytes = 24000,
};

static inline uint8_t next(struct input *in)
{
    if (in->left == 0)
        return 0;
    in->left--;
    return *in->data++;
}

static inline uint32_t next_word(struct input *in)
{
    uint32_t word = 0;

    for (unsigned i = 0; i < 4; i++)
        word = word << 8 | next(in);
    return word;
}

static inline size_t add_path(char *out, uint8_t choice)
{
    static const char *const bases[] = {"", "/local/domain/1", "/local/domain/2", "/x"};
    static const char *const names[] = {"a", "b", "device/c"};
    size_t len = strlen(bases[choice & 3]);

    memcpy(out, bases[choice & 3], len);
    for (unsigned depth = choice >> 2 & 3; depth > 0; depth--) {
        const char *name = names[(choice >> 4) % 3];

        if (len > 0)
            out[len++] = '/';
        memcpy(out + len, name, strlen(name));
        len += strlen(name);
        choice = (uint8_t)(choice >> 1 | choice << 7);
    }
    out[len++] = 0;
    return len;
}

/* A request that makes sense, so that one gets far with any bytes; its length. */
static inline size_t message_make(struct message *m, struct input *in, const evtchn_port_t *ports)
{
    static const char *const perms[] = {"n1\0r2", "b2\0n1", "n0\0b1", "r3\0w2"};
    uint8_t type = next(in) % XS_TYPE_COUNT;
    uint8_t choice = next(in);
    size_t len = 0;

    switch (type) {
    case XS_TRANSACTION_END:
        memcpy(m->payload, choice & 1 ? "T" : "F", 2);
        len = 2;
        break;
    case XS_INTRODUCE: {
        unsigned target = choice % CLIENTS;

        m->payload[len++] = (char)('0' + target);
        memcpy(m->payload + len, "\0000\000", 3);
        len += 3;
        if (ports[target] >= 10)
            m->payload[len++] = (char)('0' + ports[target] / 10);
        m->payload[len++] = (char)('0' + ports[target] % 10);
        m->payload[len++] = 0;
        if (choice & 0x40) { /* it serves others */
            memcpy(m->payload + len, "1", 2);
            len += 2;
        }
        break;
    }
    case XS_RELEASE:
    case XS_RESUME:
    case XS_SET_TARGET:
        m->payload[len++] = (char)('0' + choice % CLIENTS);
        m->payload[len++] = 0;
        m->payload[len++] = (char)('0' + choice / 8 % CLIENTS);
        m->payload[len++] = 0;
        break;
    default:
        len = add_path(m->payload, choice);
        if (type == XS_SET_PERMS) {
            memcpy(m->payload + len, perms[next(in) & 3], 6);
            len += 6;
        } else if (type == XS_WATCH || type == XS_UNWATCH || type == XS_DIRECTORY_PART) {
            m->payload[len++] = (char)('0' + (next(in) & 3));
            m->payload[len++] = 0;
        } else if (type == XS_WRITE) {
            size_t value = next(in);

            memset(m->payload + len, 'v', value);
            len += value;
        }
    }
    m->header = (struct xsd_sockmsg){type, choice, next(in) & 3, (uint32_t)len};
    return sizeof(m->header) + len;
}

#endif

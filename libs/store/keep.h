/*
 * Inside the server: what it keeps for its next life. First the whole state, one
 * item for each thing; then each message that was taken and each event that went
 * out, which the next life does again with the same functions.
 */
#ifndef STORE_KEEP_H
#define STORE_KEEP_H

#include "journal.h"
#include "server.h"

enum keep_kind {
    KEEP_DOMAIN = 1, /* keep_domain */
    KEEP_NODE,       /* keep_node, path, and of the record: permissions, value, children */
    KEEP_WATCH,      /* keep_watch, path, token; before the domain's events */
    KEEP_EVENT,      /* keep_event, path */
    KEEP_TX,         /* keep_tx */
    KEEP_TX_NODE,    /* keep_tx_node, path, records that are its own; of the last KEEP_TX */
    KEEP_CONNECTION, /* keep_connection, bytes of a request, bytes of an answer */
    KEEP_WHOLE,      /* keep_whole: what came before is the state */
    KEEP_TAKEN,      /* keep_taken, bytes of a request that were taken */
    KEEP_TOLD,       /* keep_told: the domain's next event became its answer */
    KEEP_BROKEN,     /* keep_broken: the domain is not served any more */
    KEEP_RECONNECT,  /* nothing more: the domain began anew */
};

struct keep_domain {
    uint32_t tx_last;
    domid_t target;
    uint8_t introduced;
    uint8_t serves;
};

struct keep_record {
    uint64_t generation;
    uint32_t perm_count; /* each a word: domain, letter << 16 */
    uint32_t value_len;
    uint32_t children_len;
    uint32_t pad;
};

struct keep_node {
    struct keep_record record;
    uint32_t path_len;
    uint32_t pad;
};

struct keep_watch {
    uint32_t path_len;
    uint16_t token_len; /* both without a NUL */
    uint8_t relative;
    uint8_t overrun;
};

/* Of an event whose watch is gone. */
#define KEEP_NO_WATCH UINT32_MAX

struct keep_event {
    uint32_t watch; /* its place in the domain's list */
    uint32_t path_len;
};

struct keep_tx {
    uint32_t id;
    uint32_t created;
    uint32_t failed;
};

enum keep_source { KEEP_ABSENT, KEEP_SAME, KEEP_OWN };

struct keep_tx_node {
    struct keep_record records[2];
    uint32_t path_len;
    uint8_t fire;
    uint8_t changed;
    uint8_t before; /* KEEP_SAME: as in the tree */
    uint8_t now;    /* KEEP_SAME: as before */
};

struct keep_connection {
    evtchn_port_t remote;
    uint32_t in_at;
    uint32_t out_base;
    uint32_t error;
    uint32_t in_got;
    uint32_t out_len;
    uint8_t broken;
    uint8_t logged;
    uint8_t heard;
    uint8_t pad[5];
};

struct keep_whole {
    uint64_t generation;
};

/* How an answer looked: its payload's length, and whether it was an error. */
#define KEEP_ERROR 0x80000000u

struct keep_taken {
    uint32_t in_at;    /* the request ring's index behind the bytes */
    uint32_t out_base; /* if they end a request: where its answer begins, */
    uint32_t answer;   /* and how it looks; */
    uint32_t opened_in;
    uint32_t opened_out;
    int32_t opened_error; /* and what became of the connection that it asked for */
};

struct keep_told {
    uint32_t out_base;
    uint32_t answer; /* 0: there was none after all */
};

struct keep_broken {
    uint32_t error;
};

static inline uint32_t keep_look(const struct server_message *answer)
{
    return answer->header.len | (answer->header.type == XS_ERROR ? KEEP_ERROR : 0);
}

/* ---- save.c: the whole of the server ----------------------------------------------------------
 */

void server_save(struct store_server *s, struct journal *j);

/* ---- load.c -----------------------------------------------------------------------------------
 */

struct keep_load {
    struct store_server *s;
    struct store_domain *tx_domain;
    struct tx *tx; /* the last one */
    domid_t control;
};

/* One item of the server's, into a server that is new: 0, or an error if it makes no sense. */
int server_load(struct keep_load *load, const struct journal_item *item);

/* All have come: whether they make a whole. */
int server_loaded(struct store_server *s, const struct keep_whole *whole);

#endif

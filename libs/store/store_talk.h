/*
 * For tests: messages to the server core as strings, as they would travel. Written
 * "one|two|" for words with their NULs; the same for what comes back.
 */
#ifndef STORE_TALK_H
#define STORE_TALK_H

#include <stdio.h>
#include <string.h>

#include "store_server.h"

/* Answers of the last few requests, so that two can be compared in one expression. */
static inline const char *talk_show(const struct server_message *m)
{
    static char shown[4][STORE_PAYLOAD_MAX + 8];
    static unsigned at;
    char *text = shown[at++ % 4];
    size_t used = 0;

    if (m->header.type == XS_ERROR)
        text[used++] = '!';
    for (size_t i = 0; i < m->header.len; i++)
        text[used++] = (char)(m->payload[i] ? m->payload[i] : '|');
    text[used] = 0;
    /* An error is its name alone. */
    if (text[0] == '!')
        text[used - 1] = 0;
    return text;
}

static inline const char *talk_tx(struct store_server *s, struct store_domain *d, uint32_t tx,
                                  enum xsd_sockmsg_type type, const char *text)
{
    static struct server_message answer;
    char payload[STORE_PAYLOAD_MAX];
    struct xsd_sockmsg header = {type, 77, tx, (uint32_t)strlen(text)};

    for (size_t i = 0; i < header.len; i++)
        payload[i] = (char)(text[i] == '|' ? 0 : text[i]);
    (void)server_request(s, d, &header, payload, &answer);
    if (answer.header.req_id != 77 || answer.header.tx_id != tx ||
        (answer.header.type != XS_ERROR && answer.header.type != (uint32_t)type))
        return "(wrong header)";
    return talk_show(&answer);
}

static inline const char *talk(struct store_server *s, struct store_domain *d,
                               enum xsd_sockmsg_type type, const char *text)
{
    return talk_tx(s, d, 0, type, text);
}

/* The domain's next event, "" if there is none. */
static inline const char *talk_event(struct store_server *s, struct store_domain *d)
{
    static struct server_message event;

    return server_event(s, d, &event) ? talk_show(&event) : "";
}

#endif

/* Whose bytes are shown in which form, and the door from the UART's interrupt. */
#include <abi/rights.h>

#include "console/parts.h"
#include "domain/domain.h"
#include "event/event.h"
#include "util/string.h"

#define NAMES 16u

/* Names of those seen last: a dead domain's last words still come from somebody. */
static struct {
    uint16_t domid;
    char label[BULKHEAD_LABEL_MAX];
} names[NAMES];
static unsigned names_next;

/* Lock held. */
static void name_remember(const struct domain *d)
{
    for (unsigned i = 0; i < NAMES; i++)
        if (names[i].domid == d->id && strcmp(names[i].label, d->label) == 0)
            return;
    names[names_next].domid = d->id;
    memcpy(names[names_next].label, d->label, sizeof(d->label));
    names_next = (names_next + 1) % NAMES;
}

static const char *name_of(uint16_t domid)
{
    for (unsigned i = 0; i < NAMES; i++)
        if (names[i].domid == domid && names[i].label[0])
            return names[i].label;
    return "?";
}

/* The control domain's lines are its own affair, an attached guest's are the terminal's. */
void console_show(uint16_t domid, struct domain *d, const char *text, size_t len, bool attached)
{
    static struct console_stream of_dead; /* under the lock */
    bool control = d && d->rights & RIGHT_PROMPT;

    LOCK_SCOPE(&console_lock);
    if (d)
        name_remember(d);
    const struct output_writer w = {
        .id = domid,
        .name = name_of(domid),
        .prefix = output_headless() || !(attached || control),
        .form = attached  ? OUTPUT_RAW
                : control ? OUTPUT_TEXT
                          : OUTPUT_SAFE,
        .stream = d ? &d->console.stream : &of_dead,
    };
    output_write(&w, text, len);
}

void console_receive(void)
{
    lock_acquire(&console_lock);
    bool any = input_receive();
    lock_release(&console_lock);
    if (any)
        event_raise_global(VIRQ_CONSOLE);
}

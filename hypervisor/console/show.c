/* Whose bytes are shown in which form, and the door from the UART's interrupt. */
#include <abi/event.h>
#include <abi/rights.h>

#include <arch/uart.h>

#include "console/input.h"
#include "console/output.h"
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

static const char *name_of_dead(uint16_t domid)
{
    for (unsigned i = 0; i < NAMES; i++)
        if (names[i].domid == domid && names[i].label[0])
            return names[i].label;
    return "?";
}

void console_show(struct domain *d, const char *text, size_t len, bool attached)
{
    bool control = d->rights & RIGHT_PROMPT;
    bool raw = attached || control;
    struct output_writer w = {
        .id = d->id,
        .name = d->label[0] ? d->label : "?",
        .prefix = output_headless() || !raw,
        .form = attached  ? OUTPUT_RAW
                : control ? OUTPUT_TEXT
                          : OUTPUT_SAFE,
        .stream = &d->console.stream,
    };

    lock_acquire(&console_lock);
    if (!control)
        name_remember(d);
    output_write(&w, text, len);
    lock_release(&console_lock);
}

void console_show_dead(uint16_t domid, const char *text, size_t len, bool attached)
{
    static struct console_stream scratch; /* under the lock */
    char name[BULKHEAD_LABEL_MAX];
    struct output_writer w = {
        .id = domid,
        .name = name,
        .prefix = output_headless() || !attached,
        .form = attached ? OUTPUT_RAW : OUTPUT_SAFE,
        .stream = &scratch,
    };

    lock_acquire(&console_lock);
    string_format(name, sizeof(name), "%s", name_of_dead(domid));
    output_write(&w, text, len);
    lock_release(&console_lock);
}

void console_receive(void)
{
    lock_acquire(&console_lock);
    bool any = input_receive();
    lock_release(&console_lock);
    if (any)
        event_raise_global(VIRQ_CONSOLE, NULL);
}

/* Whose bytes are shown in which form, and the door from the UART's interrupt. */
#include <abi/rights.h>

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

/* Lock held. The control domain's lines are its own affair, an attached guest's are the terminal's.
 */
static void show(struct output_writer *w, const char *text, size_t len, bool attached, bool control)
{
    w->prefix = output_headless() || !(attached || control);
    w->form = attached ? OUTPUT_RAW : control ? OUTPUT_TEXT : OUTPUT_SAFE;
    output_write(w, text, len);
}

void console_show(struct domain *d, const char *text, size_t len, bool attached)
{
    struct output_writer w = {
        .id = d->id, .name = d->label[0] ? d->label : "?", .stream = &d->console.stream};

    LOCK_SCOPE(&console_lock);
    name_remember(d);
    show(&w, text, len, attached, d->rights & RIGHT_PROMPT);
}

void console_show_dead(uint16_t domid, const char *text, size_t len, bool attached)
{
    static struct console_stream scratch; /* under the lock */
    struct output_writer w = {.id = domid, .stream = &scratch};

    LOCK_SCOPE(&console_lock);
    w.name = name_of_dead(domid);
    show(&w, text, len, attached, false);
}

void console_receive(void)
{
    lock_acquire(&console_lock);
    bool any = input_receive();
    lock_release(&console_lock);
    if (any)
        event_raise_global(VIRQ_CONSOLE, NULL);
}

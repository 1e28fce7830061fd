/*
 * Whose memory others reach for. It has a pattern over it and looks for changes:
 * when a peer ("peer=", its domain id) asks by mail, or for a while ("alone"); and it says
 * whether its initrd, which came out of the control domain's memory, is what it was.
 */
#include "call.h"
#include "clock.h"
#include "console.h"
#include "cpu.h"
#include "event.h"
#include "grants.h"
#include "mail.h"
#include "start.h"

#include <abi/addr.h>

#include <xen/sched.h>

#define WATCH_NS  1000000000ull
#define TEXT_LEN  (sizeof(BUNDLE_TEXT) - 1)
#define MIB       0x100000ul
#define PAGE_ROWS (PAGE_SIZE / sizeof(struct row))

struct row {
    uint64_t magic;
    uint64_t page;
};

static union {
    struct mail mail;
    uint8_t bytes[PAGE_SIZE];
} post __attribute__((aligned(4096)));
static unsigned page_count;

static volatile struct row *page_at(unsigned page)
{
    return (volatile struct row *)(uintptr_t)(PATTERN_BASE + (uint64_t)page * PAGE_SIZE);
}

static void page_fill(unsigned page)
{
    for (unsigned i = 0; i < PAGE_ROWS; i++) {
        page_at(page)[i].magic = PATTERN_MAGIC;
        page_at(page)[i].page = page;
    }
}

static bool page_is_good(unsigned page)
{
    uint64_t wrong = 0;

    for (unsigned i = 0; i < PAGE_ROWS; i++)
        wrong |= (page_at(page)[i].magic ^ PATTERN_MAGIC) | (page_at(page)[i].page ^ page);
    return wrong == 0;
}

/* How many pages are not what they were; they are again. */
static unsigned count_changed(void)
{
    unsigned count = 0;

    for (unsigned page = 0; page < page_count; page++)
        if (!page_is_good(page)) {
            page_fill(page);
            count++;
        }
    return count;
}

static void look_at_initrd(void)
{
    const struct hvm_start_info *info = start_info();
    const struct hvm_modlist_entry *m = (const void *)(uintptr_t)info->modlist_paddr;
    const volatile char *text;
    uint64_t wrong = 0;

    if (info->nr_modules == 0)
        return;
    text = (const volatile char *)(uintptr_t)m->paddr;
    for (uint64_t i = 0; i < m->size; i++)
        wrong += text[i] != BUNDLE_TEXT[i % TEXT_LEN];
    console_print("victim: initrd %s\n", wrong ? "changed" : "intact");
}

/* Nobody can reach it: what comes is from devices whose owner is gone. */
static void watch(void)
{
    unsigned changed = 0;
    uint64_t end;

    if (event_init() != 0) /* with the clock */
        start_crash();
    end = clock_ns(cpu_tsc()) + WATCH_NS;
    console_print("victim: watches\n");
    while (clock_ns(cpu_tsc()) < end)
        changed += count_changed();
    console_print("victim: %u of %u pages changed\n", changed, page_count);
}

static uint32_t fulfil(uint32_t wish, uint32_t page, domid_t peer)
{
    switch (wish) {
    case MAIL_LEND:
    case MAIL_LEND_READONLY:
        if (page >= page_count)
            return 0;
        grants_lend(MAIL_LENT, (const void *)(uintptr_t)page_at(page), peer,
                    wish == MAIL_LEND ? 0 : GTF_readonly);
        return 1;
    case MAIL_TAKE_BACK: return grants_take_back(MAIL_LENT);
    default: return count_changed();
    }
}

static void serve(void)
{
    volatile struct mail *mail = &post.mail;
    unsigned changed = 0;
    domid_t peer = (domid_t)start_number("peer=", 0);

    if (grants_init() != 0)
        start_crash();
    mail->magic = MAIL_MAGIC;
    grants_lend(MAIL_REF, &post, peer, 0);
    console_print("victim: waits\n");
    for (uint32_t wish = 0; wish != MAIL_END;) {
        uint32_t answer;

        while (__atomic_load_n(&mail->wishes, __ATOMIC_ACQUIRE) == mail->answers)
            call_sched(SCHEDOP_yield, NULL);
        wish = mail->wish;
        answer = fulfil(wish, mail->page, peer);
        changed += wish >= MAIL_COUNT ? answer : 0;
        mail->answer = answer;
        __atomic_store_n(&mail->answers, mail->answers + 1, __ATOMIC_RELEASE);
    }
    console_print("victim: %u of %u pages changed\n", changed, page_count);
}

void guest_run(void)
{
    page_count = (unsigned)(start_number("fill=", 24) * MIB / PAGE_SIZE);
    look_at_initrd();
    for (unsigned page = 0; page < page_count; page++)
        page_fill(page);
    if (start_option("alone"))
        watch();
    else
        serve();
}

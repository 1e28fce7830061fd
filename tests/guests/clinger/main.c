/*
 * Maps two pages of a victim ("victim=", its domain id) and never lets them go. When
 * the victim is gone a page of its own is there instead, which it can read and
 * write; one of the two is unmapped then, as if nothing had happened.
 */
#include "check.h"
#include "console.h"
#include "grants.h"
#include "mail.h"
#include "start.h"

#include "call.h"

#include <abi/addr.h>

#include <xen/sched.h>

#define PAGE 3u /* of the victim's */

static uint8_t post[PAGE_SIZE] __attribute__((aligned(4096)));
static uint8_t place[PAGE_SIZE] __attribute__((aligned(4096)));

static volatile uint64_t *words(uint8_t *page)
{
    return (volatile uint64_t *)(volatile void *)page;
}

static void ask_for_page(void)
{
    volatile struct mail *mail = (volatile void *)post;

    mail->wish = MAIL_LEND;
    mail->page = PAGE;
    __atomic_store_n(&mail->wishes, 1, __ATOMIC_RELEASE);
    while (__atomic_load_n(&mail->answers, __ATOMIC_ACQUIRE) != 1)
        call_sched(SCHEDOP_yield, NULL);
    EXPECT(mail->answer == 1);
}

/* What it reads is what it wrote, and nobody else's. */
static void use_own(void)
{
    uint64_t strange = 0;

    for (unsigned i = 0; i < PAGE_SIZE / sizeof(uint64_t); i++)
        words(place)[i] = i;
    for (unsigned i = 0; i < PAGE_SIZE / sizeof(uint64_t); i++)
        strange |= words(place)[i] ^ i;
    EXPECT(strange == 0);
}

TEST(a_page_of_its_own_comes)
{
    domid_t victim = (domid_t)start_number("victim=", 0);
    uint32_t post_handle, handle;

    EXPECT(grants_init() == 0 && grants_hole(post) == 0 && grants_hole(place) == 0);
    console_print("clinger: waits\n");
    while (grants_map(post, victim, MAIL_REF, 0, &post_handle) != 0)
        call_sched(SCHEDOP_yield, NULL);
    ask_for_page();
    EXPECT(grants_map(place, victim, MAIL_LENT, 0, &handle) == 0);
    EXPECT(words(place)[0] == PATTERN_MAGIC && words(place)[1] == PAGE);
    console_print("clinger: holds a page\n");
    while (words(place)[0] == PATTERN_MAGIC)
        call_sched(SCHEDOP_yield, NULL);
    use_own();
    EXPECT(grants_map(post, victim, MAIL_REF, 0, &handle) != 0);
    EXPECT(grants_unmap(post, post_handle) == 0);
    EXPECT(grants_unmap(post, post_handle) == GNTST_bad_handle);
    use_own();
    console_print("clinger: has a page of its own\n");
    for (;;) {
        use_own();
        call_sched(SCHEDOP_yield, NULL);
    }
}

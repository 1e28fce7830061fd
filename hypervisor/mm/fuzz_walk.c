/*
 * A guest that writes its page tables at will while the core copies by them: the
 * core stays inside the guest's memory (the pretend machine would notice), and
 * what it wrote can be read back.
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "fake_arch.h"

#include "domain/domain.h"
#include "mm/copy.h"
#include "mm/frame.h"
#include "mm/heap.h"

#define PAGES 64u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

void check_fail(const char *file, int line, const char *what)
{
    (void)file, (void)line, (void)what;
    abort();
}

enum move {
    MOVE_ENTRY,  /* page, index, entry: the guest writes a page-table entry */
    MOVE_MODE,   /* cr3, how much of paging is on */
    MOVE_READ,   /* address, len */
    MOVE_WRITE,  /* address, len */
    MOVE_UNMAP,  /* gfn */
    MOVE_ACROSS, /* address, gpa, len */
    MOVES
};

struct input {
    const uint8_t *at, *end;
};

static uint64_t take(struct input *in, unsigned bytes)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < bytes && in->at < in->end; i++)
        v |= (uint64_t)*in->at++ << 8 * i;
    return v;
}

/* Faults are as good as successes here. */
static void any(int rc)
{
    (void)rc;
}

/* Addresses near what is mapped, now and then anything. */
static uint64_t take_address(struct input *in)
{
    uint64_t v = take(in, 3);

    if (v & 1 << 23)
        return v | take(in, 5) << 24;
    return v & 1 << 22 ? v | 0xffff800000000000 : v;
}

static void set_mode(struct input *in)
{
    static const struct vcpu_mode modes[] = {
        {.cr0 = 1},
        {.cr0 = 0x80000001},
        {.cr0 = 0x80010001, .cr4 = 0x10},
        {.cr0 = 0x80010001, .cr4 = 0x20},
        {.cr0 = 0x80010001, .cr4 = 0x20, .efer = 0x500},
        {.cr0 = 0x80000001, .cr4 = 0x20, .efer = 0x500},
        {.cr0 = 0x80010001, .cr4 = 0x1020, .efer = 0x500},
    };

    fake_mode = modes[take(in, 1) % (sizeof(modes) / sizeof(modes[0]))];
    fake_mode.cr3 = take(in, 1) << PAGE_SHIFT;
    copy_forget();
}

static void unmap(struct domain *d, uint64_t gfn)
{
    enum p2m_type type;
    mfn_t mfn;

    if (p2m_take(&d->p2m, (gfn_t){gfn}, P2M_ALL, &mfn, &type) == 0 && type == P2M_RAM)
        frame_put(mfn);
}

static void move(struct input *in, struct domain *d, struct vcpu *v)
{
    static char buf[9000], back[9000];
    uint64_t address, gpa, entry, len;

    switch (take(in, 1) % MOVES) {
    case MOVE_ENTRY:
        gpa = take(in, 1) << PAGE_SHIFT | (take(in, 2) & 0xff8);
        entry = take(in, 1) | take(in, 1) << PAGE_SHIFT;
        if (entry & 8)
            entry |= take(in, 6) << 16;
        any(copy_to_gpa(d, (gpa_t){gpa}, &entry, 8));
        copy_forget();
        break;
    case MOVE_MODE: set_mode(in); break;
    case MOVE_READ:
        address = take_address(in);
        any(copy_from_guest(v, buf, (gla_t){address}, take(in, 2) % sizeof(buf)));
        (void)copy_instruction(v, buf, (gla_t){address}, 15);
        break;
    case MOVE_WRITE:
        address = take_address(in);
        len = take(in, 2) % PAGE_SIZE;
        memset(buf, (int)len, len);
        any(copy_to_guest(v, (gla_t){address}, buf, len));
        break;
    case MOVE_UNMAP: unmap(d, take(in, 1) % PAGES); break;
    case MOVE_ACROSS:
        address = take_address(in);
        gpa = take(in, 3);
        len = take(in, 2) % sizeof(back);
        if (copy_across(v, (gla_t){address}, d, (gpa_t){gpa}, len, false) == 0)
            any(copy_across(v, (gla_t){address}, d, (gpa_t){gpa}, len, true));
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, data + size};
    struct domain d = {.frames_max = PAGES};
    struct vcpu v = {.domain = &d};

    fake_machine();
    copy_forget();
    if (p2m_init(&d.p2m, &d) < 0)
        abort();
    for (uint64_t g = 0; g < PAGES; g++) {
        mfn_t frame = frame_alloc(1, 0);
        enum p2m_type type = g % 16 == 15 ? P2M_RAM_RO : P2M_RAM;
        if (p2m_map(&d.p2m, (gfn_t){g}, frame, 0, type) < 0)
            abort();
    }
    while (in.at < in.end)
        move(&in, &d, &v);
    p2m_fini(&d.p2m);
    check_balance();
    if (pool_bytes_free() != (uint64_t)FAKE_POOL << PAGE_SHIFT)
        abort();
    return 0;
}

/* Copies between the core and guests, page by page, inside a reading section of the p2m. */
#include "mm/copy.h"

#include <arch/peek.h>

#include "domain/domain.h"
#include "mm/lookup.h"
#include "mm/walk.h"
#include "util/string.h"

/* How many bytes from an address to the end of its page, at most len. */
static size_t page_rest(uint64_t address, size_t len)
{
    size_t rest = PAGE_SIZE - (address & PAGE_MASK);

    return rest < len ? rest : len;
}

/* The byte at a guest-physical address, seen through a quick window; NULL: nothing there, or no
 * right. */
static inline __attribute__((always_inline)) void *see(const struct p2m *p2m, unsigned which,
                                                       uint64_t gpa, bool write)
{
    uint64_t e = lookup_entry(p2m, gpa >> PAGE_SHIFT);

    if (!entry_allows(entry_type(e), write))
        return NULL;
    mfn_t mfn = lookup_mfn(e);
    char *page = entry_type(e) == P2M_SHARED ? pool_page_known(mfn.v) : peek(which, mfn);
    return page + (gpa & PAGE_MASK);
}

static __attribute__((noinline)) int find(struct vcpu *v, uint64_t address, bool write,
                                          uint64_t *gpa)
{
    struct cpu_known *known = &cpu_this()->known;
    struct vcpu_mode mode;

    vcpu_mode(v, &mode);
    int rc = walk(&v->domain->p2m, &mode, address, write, gpa);
    if (rc >= 0)
        *known = (struct cpu_known){v, address >> PAGE_SHIFT, *gpa & ~(uint64_t)PAGE_MASK, rc > 0};
    return rc < 0 ? rc : 0;
}

/* Where a linear address lies; inside a reading section of the vCPU's p2m. */
static inline int translate(struct vcpu *v, uint64_t address, bool write, uint64_t *gpa)
{
    const struct cpu_known *known = &cpu_this()->known;

    if (known->vcpu != v || known->page != address >> PAGE_SHIFT || known->writable < write)
        return find(v, address, write, gpa);
    *gpa = known->gpa | (address & PAGE_MASK);
    return 0;
}

/* The other end of a copy: the core's own memory, or physical memory of a guest where there is a
 * p2m. */
struct end {
    char *into;
    const char *from;
    const struct p2m *p2m;
    uint64_t gpa;
};

/* Into a guest or out of it: by linear address of v, or by guest-physical address if v is NULL. */
static inline __attribute__((always_inline)) int copy(struct vcpu *v, const struct p2m *p2m,
                                                      uint64_t address, bool write, struct end end,
                                                      size_t len)
{
    int rc = 0;

    p2m_read_begin(p2m, 0);
    if (end.p2m)
        p2m_read_begin(end.p2m, 1);
    for (size_t done = 0, n; done < len && rc == 0; done += n) {
        uint64_t gpa = address + done;

        n = page_rest(address + done, len - done);
        if (end.p2m)
            n = page_rest(end.gpa + done, n);
        if (v && (rc = translate(v, address + done, write, &gpa)) < 0)
            break;
        void *here = see(p2m, 0, gpa, write);
        void *there = end.p2m ? see(end.p2m, 1, end.gpa + done, !write) : NULL;
        if (!here || (end.p2m && !there))
            rc = -XEN_EFAULT;
        else if (write) /* the two may be one page: the order of bytes is not promised then */
            memmove(here, there ? there : end.from + done, n);
        else
            memmove(there ? there : end.into + done, here, n);
    }
    peek_end();
    if (end.p2m)
        p2m_read_end(1);
    p2m_read_end(0);
    return rc;
}

int copy_from_guest(struct vcpu *v, void *dst, gla_t src, size_t len)
{
    return copy(v, &v->domain->p2m, src.v, false, (struct end){.into = dst}, len);
}

int copy_to_guest(struct vcpu *v, gla_t dst, const void *src, size_t len)
{
    return copy(v, &v->domain->p2m, dst.v, true, (struct end){.from = src}, len);
}

size_t copy_instruction(struct vcpu *v, void *dst, gla_t rip, size_t len)
{
    size_t first = page_rest(rip.v, len);

    if (copy_from_guest(v, dst, rip, first) < 0)
        return 0;
    if (first == len ||
        copy_from_guest(v, (char *)dst + first, (gla_t){rip.v + first}, len - first) < 0)
        return first;
    return len;
}

int copy_from_gpa(struct domain *d, void *dst, gpa_t src, size_t len)
{
    return copy(NULL, &d->p2m, src.v, false, (struct end){.into = dst}, len);
}

int copy_to_gpa(struct domain *d, gpa_t dst, const void *src, size_t len)
{
    return copy(NULL, &d->p2m, dst.v, true, (struct end){.from = src}, len);
}

int copy_across(struct vcpu *v, gla_t linear, struct domain *d, gpa_t gpa, size_t len,
                bool from_gpa)
{
    return copy(v, &v->domain->p2m, linear.v, from_gpa, (struct end){.p2m = &d->p2m, .gpa = gpa.v},
                len);
}

int copy_translate(struct vcpu *v, gla_t address, bool write, gpa_t *gpa)
{
    p2m_read_begin(&v->domain->p2m, 0);
    int rc = translate(v, address.v, write, &gpa->v);
    peek_end();
    p2m_read_end(0);
    return rc;
}

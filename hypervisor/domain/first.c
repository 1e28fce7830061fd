/* The control domain: loaded from the bundle, which it is given as its module, at each of its
 * lives.
 */
#include "domain/first.h"

#include <abi/layout.h>
#include <abi/rights.h>
#include <abi/start.h>

#include <arch/power.h>

#include "domain/bundle.h"
#include "domain/domain.h"
#include "mm/copy.h"
#include "mm/frame.h"
#include "mm/reserve.h"
#include "sched/sched.h"
#include "util/string.h"
#include "vcpu/vcpu.h"

#define IMAGE "bulkhead/control.img"

/* Pages beyond its RAM that the control domain may have: those it shares with services. */
#define SPARE_FRAMES 16u
#define GRANT_FRAMES 4u

/* Room for the words of a later life. */
#define CMDLINE_MORE 64u

/* Everything about the start that the domain reads, in one page at the end of its RAM. */
struct start_page {
    struct hvm_start_info info;
    struct hvm_modlist_entry module;
    struct hvm_memmap_table_entry map[3];
    char cmdline[sizeof(boot_options.control_cmdline) + CMDLINE_MORE];
};

_Static_assert(sizeof(struct start_page) <= PAGE_SIZE, "start page");

static int fail(const char *what, int rc)
{
    console_log("control domain: %s (error %d)", what, -rc);
    return rc;
}

/* The image's memory is laid out already: the program that made it read the file's format. */
static int load_image(struct domain *d, uint32_t *entry)
{
    struct boot_image image;
    uint8_t buf[1024];
    uint64_t at, len;

    if (bundle_find(d, IMAGE, &at, &len) < 0)
        return fail("no " IMAGE " in the bundle", -XEN_ENOENT);
    if (len < sizeof(image) || bundle_read(d, at, &image, sizeof(image)) < 0 ||
        memcmp(image.magic, BOOT_IMAGE_MAGIC, sizeof(image.magic)) != 0)
        return fail(IMAGE " is no image of a control domain", -XEN_EINVAL);
    for (uint64_t done = sizeof(image), n; done < len; done += n) {
        n = len - done < sizeof(buf) ? len - done : sizeof(buf);
        if (bundle_read(d, at + done, buf, n) < 0 ||
            copy_to_gpa(d, (gpa_t){image.address + done - sizeof(image)}, buf, n) < 0)
            return fail(IMAGE " does not fit into control_memory", -XEN_EINVAL);
    }
    *entry = image.entry;
    return 0;
}

/* ---- memory and start info ----------------------------------------------------- */

static int give_memory(struct domain *d)
{
    uint64_t frames = (uint64_t)boot_options.control_mib << (20 - PAGE_SHIFT);
    uint64_t bundle = (boot_options.bundle_len + PAGE_MASK) >> PAGE_SHIFT;
    int rc = 0;

    d->frames_max = frames + SPARE_FRAMES;
    for (uint64_t gfn = 0; gfn < frames && rc == 0;) {
        unsigned order = frames - gfn >= 1u << FRAME_ORDER_2M ? FRAME_ORDER_2M : 0;

        rc = reserve_populate(d, (gfn_t){gfn}, order, false);
        if (rc == -XEN_ENOMEM && order > 0) { /* no large block left: by single frames */
            rc = reserve_populate(d, (gfn_t){gfn}, 0, false);
            order = 0;
        }
        gfn += 1u << order;
    }
    if (rc < 0)
        return fail("not enough memory for control_memory", rc);
    for (uint64_t i = 0; i < bundle && rc == 0; i++)
        rc = p2m_map(&d->p2m, (gfn_t){(LAYOUT_BUNDLE >> PAGE_SHIFT) + i},
                     (mfn_t){hpa_mfn(boot_options.bundle).v + i}, 0, P2M_RAM_RO);
    return rc < 0 ? fail("cannot map the bundle", rc) : 0;
}

static int write_start_page(struct domain *d, uint64_t at)
{
    struct start_page page = {
        .info =
            {
                .magic = XEN_HVM_START_MAGIC_VALUE,
                .version = 1,
                .nr_modules = 1,
                .modlist_paddr = at + offsetof(struct start_page, module),
                .cmdline_paddr = at + offsetof(struct start_page, cmdline),
                .memmap_paddr = at + offsetof(struct start_page, map),
                .memmap_entries = 3,
            },
        .module = {.paddr = LAYOUT_BUNDLE, .size = boot_options.bundle_len},
        .map =
            {
                {.addr = 0, .size = at, .type = XEN_HVM_MEMMAP_TYPE_RAM},
                {.addr = at, .size = PAGE_SIZE, .type = XEN_HVM_MEMMAP_TYPE_RESERVED},
                {.addr = LAYOUT_BUNDLE,
                 .size = (boot_options.bundle_len + PAGE_MASK) & ~(uint64_t)PAGE_MASK,
                 .type = XEN_HVM_MEMMAP_TYPE_RESERVED},
            },
    };

    if (first_lives.ended == 0)
        string_format(page.cmdline, sizeof(page.cmdline), "%s", boot_options.control_cmdline);
    else
        string_format(page.cmdline, sizeof(page.cmdline), "%s " START_AGAIN "%u " START_ENDED "%u",
                      boot_options.control_cmdline, first_lives.ended, first_lives.code);
    return copy_to_gpa(d, (gpa_t){at}, &page, sizeof(page));
}

/* Everything in it is as at first, but what no image writes. */
static int start(struct domain *d)
{
    uint64_t top = ((uint64_t)boot_options.control_mib << 20) - PAGE_SIZE;
    uint32_t entry = 0;
    int rc = load_image(d, &entry);

    if (rc < 0)
        return rc;
    rc = write_start_page(d, top);
    if (rc < 0)
        return fail("control_memory is too small", rc);
    d->entitled = true;
    vcpu_reset_pvh(d->vcpu[0], entry, (uint32_t)top);
    sched_start(d->vcpu[0]);
    domain_unpause(d);
    return 0;
}

int first_create(void)
{
    struct domain_limits limits = {.vcpus = 1, .grant_frames = GRANT_FRAMES};
    struct domain *d;

    if (boot_options.bundle_len == 0)
        return fail("the loader gave no bundle: pass one as the module (initrd)", -XEN_ENOENT);
    int rc = domain_create(0, &limits, &d);
    if (rc < 0)
        return fail("cannot create it", rc);
    string_format(d->label, sizeof(d->label), "control");
    d->labelled = true;
    d->rights = RIGHTS_ALL;
    if ((rc = give_memory(d)) < 0 || (rc = start(d)) < 0)
        return rc;
    domain_put(d);
    return 0;
}

void first_again(void)
{
    if (!first_lives.due || !__atomic_exchange_n(&first_lives.due, false, __ATOMIC_ACQ_REL))
        return;
    struct domain *d = domain_get(0);
    CHECK(d != NULL);
    if (domain_reset(d) < 0 || start(d) < 0)
        power_off(STATUS_FAILED);
    domain_put(d);
}

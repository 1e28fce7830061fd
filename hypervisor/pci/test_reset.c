/* What an owner leaves in a function does not reach the next, whatever resets the function has. */
#include "pci/reset.h"

#include "check.h"
#include "pci/fake_machine.h"
#include "pci/owner.h"
#include "pci/pci.h"

#define MS      1000000ull
#define FOREVER UINT64_MAX

/* Milliseconds until it can be given away, or the error. */
static int wait_for(uint16_t bdf)
{
    for (int ms = 0; ms < 60000; ms++) {
        int rc = owner_assign(&fake_domain, bdf);

        if (rc != -XEN_EAGAIN)
            return rc < 0 ? rc : ms;
        EXPECT(!fake_is_attached(bdf)); /* in quarantine all the while */
        fake_now += MS;
    }
    return -XEN_EAGAIN;
}

static struct fake_device *give(uint16_t bdf)
{
    EXPECT(wait_for(bdf) == 0);
    fake_device(bdf)->used = true;
    return fake_device(bdf);
}

static void take(uint16_t bdf)
{
    EXPECT(owner_deassign(&fake_domain, bdf) == 0);
}

static unsigned resets(const struct fake_device *d)
{
    unsigned sum = 0;

    for (unsigned i = 0; i < FAKE_WAYS; i++)
        sum += d->resets[i];
    return sum;
}

static void finish(void)
{
    pci_release(&fake_domain);
    EXPECT(fake_locks == 0 && fake_allocations == 0);
}

/* Says that the function has no function-level reset. */
static void hide_flr(uint16_t bdf)
{
    fake_config_set(bdf, fake_device(bdf)->pcie + 4u, 0);
}

TEST(by_flr)
{
    fake_reset();
    struct fake_device *d = give(FAKE_NVME);

    EXPECT(resets(d) == 0); /* the first owner finds it as firmware left it */
    take(FAKE_NVME);
    EXPECT(d->resets[FAKE_BY_FLR] == 1 && resets(d) == 1 && !d->used);
    EXPECT(wait_for(FAKE_NVME) == 100 && fake_logged("PCI 0020: reset by FLR\n") == 1);
    EXPECT(fake_config(FAKE_NVME, 0x10) == (FAKE_MEMORY | 4)); /* where it was */
    EXPECT(!(fake_config(FAKE_NVME, 4) & COMMAND_MASTER));
    finish();
}

TEST(by_conventional_flr)
{
    fake_reset();
    struct fake_device *d = give(FAKE_VIRTIO);

    take(FAKE_VIRTIO);
    EXPECT(d->resets[FAKE_BY_AF] == 1 && resets(d) == 1 && !d->used);
    EXPECT(wait_for(FAKE_VIRTIO) == 100 && fake_logged("0028: reset by conventional FLR\n") == 1);
    finish();
}

/* Requests of the device that are under way end first; if they do not, it does not wait for ever.
 */
TEST(what_is_pending_is_waited_for)
{
    fake_reset();
    struct fake_device *nvme = give(FAKE_NVME), *virtio = give(FAKE_VIRTIO);

    nvme->pending = fake_now + 30 * MS;
    virtio->pending = FOREVER;
    take(FAKE_NVME);
    take(FAKE_VIRTIO);
    EXPECT(resets(nvme) == 0 && resets(virtio) == 0);
    EXPECT(wait_for(FAKE_NVME) == 130 && resets(nvme) == 1);
    EXPECT(wait_for(FAKE_VIRTIO) == 100 && resets(virtio) == 1); /* 100 were over before */
    finish();
}

TEST(by_power_state)
{
    fake_reset();
    struct fake_device *d = give(FAKE_NVME);

    hide_flr(FAKE_NVME);
    take(FAKE_NVME);
    EXPECT(resets(d) == 0 && (fake_config(FAKE_NVME, 0x64) & 3) == 3);
    EXPECT(wait_for(FAKE_NVME) == 20 && d->resets[FAKE_BY_POWER] == 1 && !d->used);
    EXPECT((fake_config(FAKE_NVME, 0x64) & 3) == 0 &&
           fake_logged("0020: reset by power state") == 1);
    /* The size of packets is what both ends agreed on, not what a reset leaves. */
    EXPECT((fake_config(FAKE_NVME, 0x88) & 0xffff) == 0x2030);
    finish();
}

TEST(without_any_the_risk_is_told)
{
    fake_reset();
    struct fake_device *nvme = give(FAKE_NVME), *msi = give(FAKE_MSI);

    hide_flr(FAKE_NVME);
    fake_config_set(FAKE_NVME, 0x64, 8); /* it keeps its state in D3 */
    take(FAKE_NVME);
    take(FAKE_MSI);
    EXPECT(nvme->used && msi->used && resets(nvme) == 0 && resets(msi) == 0);
    EXPECT(fake_logged("PCI 0020 cannot be reset: what its last owner left in it stays\n") == 1);
    EXPECT(fake_logged("PCI 0030 cannot be reset: what its last owner left in it stays\n") == 1);
    EXPECT(function_find(FAKE_MSI)->unclean);
    EXPECT(wait_for(FAKE_MSI) == 0 && wait_for(FAKE_NVME) == 0 && fake_logged("reset by") == 0);
    finish();
}

/* Both of a bus were one owner's: they are reset once, together, when it dies. */
TEST(by_its_bus)
{
    fake_reset();
    struct fake_device *one = give(FAKE_PAIR), *two = give(FAKE_PAIR + 1);

    pci_release(&fake_domain);
    EXPECT((fake_config(FAKE_PORT, 0x3c) >> 16 & 0x40) && resets(one) == 0);
    EXPECT(wait_for(FAKE_PAIR + 1) == 1002);
    EXPECT(!(fake_config(FAKE_PORT, 0x3c) >> 16 & 0x40));
    EXPECT(one->resets[FAKE_BY_BUS] == 1 && two->resets[FAKE_BY_BUS] == 1);
    EXPECT(!one->used && !two->used && wait_for(FAKE_PAIR) == 0);
    EXPECT(fake_config(FAKE_PAIR, 0x10) == FAKE_MEMORY + 0x8000);
    EXPECT(fake_logged("PCI 0100: reset by its bus\n") == 1);
    EXPECT(fake_logged("PCI 0101: reset by its bus\n") == 1);
    EXPECT(fake_logged("cannot be reset") == 0 && fake_logged("0020") == 0);
    EXPECT(resets(fake_device(FAKE_NVME)) == 0);
    finish();
}

/* Whoever else has a function there keeps it as it is, be it the same domain. */
TEST(nobody_elses_device_is_reset)
{
    fake_reset();
    struct fake_device *one = give(FAKE_PAIR), *two = give(FAKE_PAIR + 1);

    take(FAKE_PAIR);
    EXPECT(resets(one) == 0 && resets(two) == 0 && one->used && two->used);
    EXPECT(fake_logged("PCI 0100 cannot be reset: ") == 1 && function_find(FAKE_PAIR)->unclean);
    /* It is made up for as soon as it can be. */
    take(FAKE_PAIR + 1);
    EXPECT(wait_for(FAKE_PAIR) == 1002 && resets(one) == 1 && resets(two) == 1 && !one->used);
    EXPECT(!function_find(FAKE_PAIR)->unclean && fake_logged("cannot be reset") == 1);
    finish();
}

TEST(a_bus_with_a_bridge_on_it_is_not_reset)
{
    fake_reset();
    struct fake_device *d = give(FAKE_PAIR);

    function_find(FAKE_PAIR + 1)->reserved = true;
    take(FAKE_PAIR);
    EXPECT(resets(d) == 0 && fake_logged("PCI 0100 cannot be reset: ") == 1);
    function_find(FAKE_PAIR + 1)->reserved = false;
    finish();
}

TEST(who_comes_back_late_is_waited_for)
{
    fake_reset();
    struct fake_device *d = give(FAKE_NVME);

    d->away_ns = 700 * MS;
    take(FAKE_NVME);
    EXPECT(wait_for(FAKE_NVME) == 800 && resets(d) == 1 && fake_logged("reset by FLR") == 1);
    finish();
}

/* A function that the mildest reset killed may live again by one that is less so. */
TEST(the_next_is_tried_if_it_does_not_come_back)
{
    fake_reset();
    struct fake_device *d = fake_device(FAKE_PAIR);

    d->af = 0x70;
    fake_config_set(FAKE_PAIR, 0x70, 0x03060013);
    function_find(FAKE_PAIR)->af = 0x70;
    give(FAKE_PAIR);
    take(FAKE_PAIR);
    EXPECT(d->resets[FAKE_BY_AF] == 1);
    d->back = FOREVER;
    EXPECT(wait_for(FAKE_PAIR) > 5000);
    EXPECT(d->resets[FAKE_BY_BUS] == 1 && fake_logged("PCI 0100: reset by its bus\n") == 1);
    EXPECT(fake_logged("reset by") == 1);
    function_find(FAKE_PAIR)->af = 0;
    finish();
}

TEST(who_never_comes_back_is_nobodys)
{
    fake_reset();
    struct fake_device *d = give(FAKE_NVME);

    d->away_ns = FOREVER;
    take(FAKE_NVME);
    EXPECT(wait_for(FAKE_NVME) == -XEN_EIO && wait_for(FAKE_NVME) == -XEN_EIO);
    EXPECT(fake_logged("PCI 0020 does not answer since its reset: nobody gets it\n") == 1);
    EXPECT(!fake_domain.pci || list_is_empty(&fake_domain.pci->functions));
    EXPECT(fake_logged("reset by") == 0 && !fake_is_attached(FAKE_NVME));
    d->back = fake_now + 5 * MS; /* unless it does, after all */
    EXPECT(wait_for(FAKE_NVME) == -XEN_EIO);
    fake_now += 5 * MS;
    EXPECT(wait_for(FAKE_NVME) == 0 && fake_logged("PCI 0020: reset by FLR\n") == 1);
    finish();
}

/* What answers must be what was there. */
TEST(who_comes_back_as_another_is_nobodys)
{
    fake_reset();
    give(FAKE_NVME);
    take(FAKE_NVME);
    fake_config_set(FAKE_NVME, 0, 0xabcd168c);
    EXPECT(wait_for(FAKE_NVME) == -XEN_EIO);
    finish();
}

static void become(uint16_t bdf, uint32_t id)
{
    fake_config_set(bdf, 0, id);
    function_find(bdf)->id = id;
}

TEST(what_is_known_to_do_harm_is_not_tried)
{
    fake_reset();
    become(FAKE_NVME, 0x15028086); /* no function-level reset, though it is announced */
    become(FAKE_PAIR, 0xcb8415b3);
    fake_config_set(FAKE_PAIR, 0x64, 0); /* nor this one's power state */
    struct fake_device *nvme = give(FAKE_NVME), *one = give(FAKE_PAIR);

    take(FAKE_NVME);
    EXPECT(wait_for(FAKE_NVME) == 20 && nvme->resets[FAKE_BY_POWER] == 1 && resets(nvme) == 1);
    take(FAKE_PAIR);
    EXPECT(wait_for(FAKE_PAIR) == 1002 && one->resets[FAKE_BY_BUS] == 1 && resets(one) == 1);
    become(FAKE_PAIR + 1, 0x0030168c); /* the bus of one that would not come back */
    take(FAKE_PAIR);
    EXPECT(resets(one) == 1 && fake_logged("PCI 0100 cannot be reset: ") == 1);
    finish();
}

/* Out of order: the domain dies while a bus that it shared is still in reset. */
TEST(a_reset_is_no_owners_to_wait_for)
{
    fake_reset();
    struct fake_device *nvme = give(FAKE_NVME);

    give(FAKE_PAIR);
    take(FAKE_PAIR);
    EXPECT(owner_assign(&fake_domain, FAKE_PAIR + 1) == -XEN_EAGAIN); /* it is on that bus */
    finish();
    EXPECT(nvme->resets[FAKE_BY_FLR] == 1);
    EXPECT(wait_for(FAKE_PAIR + 1) == 1002 && wait_for(FAKE_PAIR) == 0);
    finish();
}

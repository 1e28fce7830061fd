/* The life of domains over a pretend core: building, dying, and who waits for whom. */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <abi/layout.h>
#include <abi/start.h>
#include <build/acpi.h>
#include <check.h>

#include <xen/sched.h>

static char text_initrd[] = "/initrd";
static char text_nothing[] = "/nothing";
static char kernel_path[] = "/vmlinux";
static char image_path[] = "/bulkhead/block.elf";

TEST(guest_is_built)
{
    const struct fake_domain *d = &fake_domains[2];
    struct hvm_start_info info;
    struct hvm_modlist_entry module;

    begin_running();
    EXPECT(strcmp(d->label, "guest") == 0 && d->rights == 0 && d->dma_limit == 0);
    EXPECT(d->frames == (8u << 20) / 4096 + 3);
    EXPECT(d->start.entry == 0x200000 && d->start.vcpu == 0);
    EXPECT(memcmp(d->ram + 0x200000, "a tiny kernel..", 16) == 0);
    memcpy(&info, d->ram + d->start.start_info, sizeof(info));
    EXPECT(info.magic == XEN_HVM_START_MAGIC_VALUE && info.nr_modules == 1);
    EXPECT(strcmp((char *)d->ram + info.cmdline_paddr, "console=hvc0") == 0);
    memcpy(&module, d->ram + info.modlist_paddr, sizeof(module));
    EXPECT(module.size == 10 && memcmp(d->ram + module.paddr, "the initrd", 10) == 0);
    EXPECT(info.rsdp_paddr == LAYOUT_ACPI_BASE && memcmp(d->acpi, "RSD PTR ", 8) == 0);
    EXPECT(d->seed_count == 2 && d->seeds[0].ref == 1 && d->seeds[0].peer == 14);
    EXPECT(d->seeds[1].ref == 0 && d->seeds[1].peer == 15);
    EXPECT(d->params[HVM_PARAM_STORE_PFN] == LAYOUT_STORE_PAGE >> 12);
    EXPECT(d->params[HVM_PARAM_STORE_EVTCHN] == 1 && d->params[HVM_PARAM_CONSOLE_EVTCHN] == 2);
    EXPECT(d->pair_count == 1 && d->pairs[0] == 1);
    EXPECT(d->introduced && !d->paused && !d->serves && fake_domains[1].serves);
    EXPECT(fake_domains[1].device_count == 1 && fake_domains[1].devices[0] == 4 << 3);
    EXPECT(is_node("/local/domain/2/name", "guest"));
    EXPECT(is_node("/local/domain/2/memory/target", "8192"));
    EXPECT(is_node("/local/domain/2/cpu/1/availability", "online"));
    EXPECT(
        is_node("/local/domain/2/device/vbd/51712/backend", "/local/domain/1/backend/vbd/2/51712"));
    EXPECT(is_node("/local/domain/1/backend/vbd/2/51712/params", "/dev/nvme0n1"));
    EXPECT(is_node("/local/domain/15/client/2", "2"));
    end();
}

TEST(failure_at_every_call_leaves_nothing)
{
    unsigned n;

    for (n = 1; n < 500; n++) {
        begin();
        supervise_start(&s, block_entry);
        supervise_step(&s);
        supervise_start(&s, guest_entry);
        unsigned nodes = fake_node_count();

        fake_said[0] = 0;
        fake_fail_at(n);
        supervise_step(&s);
        if (!fake_has_failed()) {
            end();
            break;
        }
        EXPECT(guest_entry->phase == ENTRY_FAILED && guest_entry->domid == DOMID_INVALID);
        EXPECT(fake_domain_count() == 1 && fake_node_count() == nodes);
        EXPECT(s.failed && fake_count_said("/guest.xml:") == 1);
        end();
    }
    EXPECT(n > 60 && n < 500);
}

TEST(guest_waits_for_its_backend)
{
    begin();
    block.kernel = image_path;
    fake_file("/block.elf", NULL, 0);
    struct config_root root = {fake_root.prefix, fake_root.prefix};

    s.root = &root;
    supervise_start(&s, guest_entry);
    supervise_start(&s, block_entry);
    EXPECT(supervise_step(&s) == 61 * SECOND);
    EXPECT(block_entry->phase == ENTRY_LIVE && !block_entry->ready);
    EXPECT(guest_entry->phase == ENTRY_WAITING);
    fake_node_set("/local/domain/1/backend-ready", "1");
    supervise_step(&s);
    EXPECT(block_entry->ready && guest_entry->phase == ENTRY_OPENING);
    EXPECT(fake_domains[2].paused);
    fake_node_set("/local/domain/1/backend/vbd/2/51712/hotplug-status", "connected");
    supervise_step(&s);
    EXPECT(guest_entry->phase == ENTRY_LIVE && !fake_domains[2].paused);
    end();
}

/* Alive is not enough: a backend that does nothing ends in a message. */
TEST(backend_that_never_comes_up)
{
    struct config_root root = {fake_root.prefix, fake_root.prefix};

    begin();
    block.kernel = image_path;
    fake_file("/block.elf", NULL, 0);
    s.root = &root;
    supervise_start(&s, guest_entry);
    supervise_start(&s, block_entry);
    supervise_step(&s);
    fake_now = 61 * SECOND - 1;
    supervise_step(&s);
    EXPECT(guest_entry->phase == ENTRY_WAITING);
    fake_now++;
    EXPECT(supervise_step(&s) == UINT64_MAX);
    EXPECT(guest_entry->phase == ENTRY_FAILED && block_entry->phase == ENTRY_LIVE);
    EXPECT(fake_count_said("/guest.xml:24: the backend domain block runs, but has not come up") ==
           1);
    /* It may still come. */
    fake_node_set("/local/domain/1/backend-ready", "1");
    supervise_start(&s, guest_entry);
    supervise_step(&s);
    EXPECT(guest_entry->phase == ENTRY_OPENING);
    /* But it takes no disk. */
    fake_now += 60 * SECOND;
    EXPECT(supervise_step(&s) == fake_now + SECOND && guest_entry->phase == ENTRY_CLOSING);
    EXPECT(fake_count_said("/guest.xml:24: block does not take disk xvda in 60 s: its console") ==
           1);
    fake_now += SECOND;
    EXPECT(supervise_step(&s) == UINT64_MAX);
    EXPECT(guest_entry->phase == ENTRY_FAILED && fake_domain_count() == 1);
    end();
}

TEST(disk_that_cannot_be_opened)
{
    begin();
    supervise_start(&s, guest_entry);
    supervise_start(&s, block_entry);
    supervise_step(&s);
    unsigned said = fake_count_said("started");

    EXPECT(said == 1);
    fake_node_set("/local/domain/1/backend/vbd/2/51712/hotplug-status", "error");
    fake_node_set("/local/domain/1/backend/vbd/2/51712/hotplug-error", "no such disk: try another");
    supervise_step(&s);
    EXPECT(guest_entry->phase == ENTRY_CLOSING);
    EXPECT(is_node("/local/domain/1/backend/vbd/2/51712/online", "0"));
    EXPECT(is_node("/local/domain/1/backend/vbd/2/51712/state", "5"));
    EXPECT(is_node("/local/domain/2/device/vbd/51712/state", "6"));
    fake_node_set("/local/domain/1/backend/vbd/2/51712/state", "6");
    supervise_step(&s);
    EXPECT(guest_entry->phase == ENTRY_FAILED && fake_domain_count() == 1);
    EXPECT(fake_count_said("/guest.xml:22: no such disk: try another\n") == 1);
    EXPECT(s.failed && supervise_is_over(&s));
    end();
}

TEST(backend_that_dies_or_never_was)
{
    begin();
    supervise_start(&s, guest_entry);
    supervise_step(&s);
    EXPECT(guest_entry->phase == ENTRY_FAILED);
    EXPECT(fake_count_said("/guest.xml:24: the backend domain block of disk xvda") == 1);
    supervise_start(&s, block_entry);
    supervise_start(&s, guest_entry);
    supervise_step(&s);
    EXPECT(guest_entry->phase == ENTRY_OPENING);
    fake_shutdown(block_entry->domid, SHUTDOWN_crash);
    supervise_step(&s);
    EXPECT(guest_entry->phase == ENTRY_FAILED && block_entry->phase == ENTRY_STOPPED);
    EXPECT(fake_domain_count() == 0 && fake_node_count() == 0);
    end();
}

static void close_disk(void)
{
    EXPECT(is_node("/local/domain/1/backend/vbd/2/51712/state", "5"));
    EXPECT(is_node("/local/domain/1/backend/vbd/2/51712/online", "0"));
    fake_node_set("/local/domain/1/backend/vbd/2/51712/state", "6");
}

TEST(reboot_is_a_new_domain)
{
    begin_running();
    fake_attached = 2;
    fake_now += 60 * SECOND;
    fake_shutdown(2, SHUTDOWN_reboot);
    supervise_step(&s);
    EXPECT(guest_entry->phase == ENTRY_CLOSING);
    EXPECT(!supervise_is_over(&s));
    close_disk();
    supervise_step(&s);
    EXPECT(guest_entry->phase == ENTRY_OPENING && guest_entry->domid == 3);
    EXPECT(!fake_domains[2].exists && !fake_node("/local/domain/2/name"));
    fake_node_set("/local/domain/1/backend/vbd/3/51712/hotplug-status", "connected");
    supervise_step(&s);
    EXPECT(guest_entry->phase == ENTRY_LIVE && fake_attached == 3);
    EXPECT(!s.failed);
    /* At its end the prompt is back; and who left the console is not fetched again. */
    fake_shutdown(3, SHUTDOWN_poweroff);
    supervise_step(&s);
    fake_node_set("/local/domain/1/backend/vbd/3/51712/state", "6");
    supervise_step(&s);
    EXPECT(fake_attached == DOMID_SELF);
    end();
}

TEST(power_off_ends_it)
{
    begin_running();
    fake_shutdown(2, SHUTDOWN_poweroff);
    supervise_step(&s);
    close_disk();
    supervise_step(&s);
    EXPECT(guest_entry->phase == ENTRY_STOPPED && fake_domain_count() == 1);
    EXPECT(supervise_is_over(&s) && !s.failed);
    EXPECT(fake_count_said("guest: powered off (id 2)") == 1);
    end();
}

TEST(crash_actions)
{
    begin_running();
    guest.on_crash = CONFIG_PRESERVE;
    fake_shutdown(2, SHUTDOWN_crash);
    supervise_step(&s);
    EXPECT(guest_entry->phase == ENTRY_LIVE && guest_entry->dead);
    EXPECT(s.failed && supervise_is_over(&s));
    EXPECT(fake_count_said("guest: crashed") == 1);
    supervise_step(&s);
    EXPECT(fake_said[0] == 0);
    supervise_stop(&s, guest_entry, NEXT_STOP);
    close_disk();
    supervise_step(&s);
    EXPECT(guest_entry->phase == ENTRY_STOPPED && !fake_domains[2].exists);
    end();
}

TEST(restart_is_not_a_spin)
{
    begin_running();
    guest.on_crash = CONFIG_RESTART;
    fake_shutdown(2, SHUTDOWN_watchdog);
    supervise_step(&s);
    close_disk();
    EXPECT(supervise_step(&s) == 2 * SECOND);
    EXPECT(guest_entry->phase == ENTRY_WAITING && fake_domain_count() == 1);
    fake_now = 2 * SECOND;
    supervise_step(&s);
    EXPECT(guest_entry->phase == ENTRY_OPENING);
    s.leaving = true;
    fake_node_set("/local/domain/1/backend/vbd/3/51712/hotplug-status", "connected");
    supervise_step(&s);
    fake_shutdown(3, SHUTDOWN_reboot);
    supervise_step(&s);
    EXPECT(guest_entry->next == NEXT_STOP);
    end();
}

TEST(silent_backend_delays_nobody_for_long)
{
    begin_running();
    supervise_stop(&s, guest_entry, NEXT_STOP);
    EXPECT(fake_domains[2].paused);
    EXPECT(supervise_step(&s) == 2 * SECOND);
    EXPECT(guest_entry->phase == ENTRY_CLOSING);
    fake_now = 2 * SECOND;
    supervise_step(&s);
    EXPECT(guest_entry->phase == ENTRY_STOPPED && fake_domain_count() == 1);
    EXPECT(fake_count_said("does not let go of disk xvda") == 1);
    end();
}

TEST(death_of_a_driver_domain)
{
    begin_running();
    fake_shutdown(1, SHUTDOWN_crash);
    supervise_step(&s);
    EXPECT(block_entry->phase == ENTRY_STOPPED && guest_entry->phase == ENTRY_LIVE);
    EXPECT(strstr(fake_said, "guest: its disk xvda is gone with block"));
    EXPECT(!supervise_is_over(&s));
    supervise_stop(&s, guest_entry, NEXT_STOP);
    supervise_step(&s);
    EXPECT(guest_entry->phase == ENTRY_STOPPED);
    end();
}

TEST(bad_files)
{
    begin();
    guest.disk_count = 0;
    guest.kernel = text_nothing;
    supervise_start(&s, guest_entry);
    supervise_step(&s);
    EXPECT(fake_count_said("/guest.xml:6: there is no file /nothing: ") == 1);
    guest.kernel = text_initrd;
    supervise_start(&s, guest_entry);
    supervise_step(&s);
    EXPECT(fake_count_said("/guest.xml:6: /initrd is truncated") == 1);
    guest.kernel = kernel_path;
    guest.memory_bytes = 1u << 20;
    supervise_start(&s, guest_entry);
    supervise_step(&s);
    EXPECT(fake_count_said("/guest.xml:4: 1 MiB of memory are too few, the kernel does not") == 1);
    guest.memory_bytes = 2ull << 30;
    supervise_start(&s, guest_entry);
    supervise_step(&s);
    EXPECT(fake_count_said("/guest.xml:4: 2048 MiB of memory, but the host has 1024 MiB free") ==
           1);
    guest.memory_bytes = 8u << 20;
    guest.initrd = text_nothing;
    supervise_start(&s, guest_entry);
    supervise_step(&s);
    EXPECT(fake_count_said("/guest.xml:7: there is no file /nothing") == 1);
    nvme.bus = 3;
    supervise_start(&s, block_entry);
    supervise_step(&s);
    EXPECT(fake_count_said("/block.xml:11: the host has no PCI function 0000:03:04.0") == 1);
    nvme.bus = 0;
    EXPECT(fake_domain_count() == 0 && fake_node_count() == 0);
    end();
}

/* What it survives is one less than what ends it, and zero is a limit, too. */
TEST(blocked_accesses_are_limited)
{
    begin();
    block.has_dma_limit = true;
    block.dma_limit = 0;
    supervise_start(&s, block_entry);
    supervise_step(&s);
    EXPECT(fake_domains[1].exists && fake_domains[1].dma_limit == 1);
    block.has_dma_limit = false;
    end();
}

TEST(names_and_numbers)
{
    begin_running();
    EXPECT(supervise_find(&s, "guest") == guest_entry);
    EXPECT(supervise_find(&s, "2") == guest_entry);
    EXPECT(supervise_find(&s, "1") == block_entry);
    EXPECT(!supervise_find(&s, "") && !supervise_find(&s, "3") && !supervise_find(&s, "2x"));
    EXPECT(entry_is_guest(guest_entry) && !entry_is_guest(block_entry));
    end();
}

/* Verbs about disks and interfaces: lists, and counters of back ends that answer, lie or are
 * silent. */
#include "rig.h"

#include <stdio.h>
#include <string.h>

#include <check.h>

#include <xen/sched.h>

static char file[] = "/x.xml";
static char name_block[] = "block";
static char name_net[] = "net";
static char name_linux[] = "linux";
static char name_guest[] = "guest";
static char kernel[] = "/vmlinux";
static char block_kernel[] = "/bulkhead/block.elf";
static char net_kernel[] = "/bulkhead/net.elf";
static char xvda[] = "xvda";
static char nvme0n1[] = "/dev/nvme0n1";
static char br0[] = "br0";
static char web0[] = "web0";

#define DOMAIN(n, k)                                                                               \
    {                                                                                              \
        .file = file, .name = (n), .kernel = (k), .memory_bytes = 8u << 20, .vcpus = 1             \
    }

static struct config_hostdev nvme = {.slot = 4};
static struct domain_config block = DOMAIN(name_block, block_kernel);
static struct domain_config net = DOMAIN(name_net, net_kernel);
static struct domain_config linux_domain = DOMAIN(name_linux, kernel);
static struct domain_config guest = DOMAIN(name_guest, kernel);
static struct config_disk disks[] = {
    {.served = {.number = 51712, .backend = &block}, .source = nvme0n1, .target = xvda}};
static struct config_interface interfaces[] = {
    {.served = {.class = CONFIG_INTERFACE, .number = 0, .backend = &net},
     .bridge = br0,
     .mac = {0, 0x16, 0x3e, 1, 2, 3}},
    {.served = {.class = CONFIG_INTERFACE, .number = 1, .backend = &linux_domain},
     .bridge = br0,
     .target = web0,
     .mac = {0, 0x16, 0x3e, 1, 2, 4}},
};

#define DISK "/local/domain/1/backend/vbd/4/51712"
#define NIC  "/local/domain/2/backend/vif/4/0"

/* block is domain 1, net 2, linux 3, the guest 4. */
static void begin(void)
{
    static struct config_root root;
    struct domain_config *all[] = {&block, &net, &linux_domain, &guest};

    fake_reset();
    fake_file("/vmlinux", NULL, 0);
    fake_file("/block.elf", NULL, 0);
    fake_file("/net.elf", NULL, 0);
    root = (struct config_root){fake_root.prefix, fake_root.prefix};
    block.hostdevs = &nvme;
    block.hostdev_count = 1;
    guest.disks = disks;
    guest.disk_count = 1;
    guest.interfaces = interfaces;
    guest.interface_count = 2;
    s = (struct supervise){
        .store = &fake_store, .root = &root, .store_domid = 14, .console_domid = 15};
    cli = (struct cli){.supervise = &s, .root = &root};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        supervise_start(&s, supervise_add(&s, all[i]));
    supervise_step(&s);
    fake_node_set("/local/domain/1/backend-ready", "1");
    fake_node_set("/local/domain/2/backend-ready", "1");
    supervise_step(&s);
    fake_node_set(DISK "/hotplug-status", "connected");
    fake_node_set(NIC "/hotplug-status", "connected");
    fake_node_set("/local/domain/3/backend/vif/4/1/state", "2");
    supervise_step(&s);
    EXPECT(s.entries[3]->phase == ENTRY_LIVE && s.entries[3]->domid == 4);
}

static void end(void)
{
    answer = NULL;
    supervise_fini(&s);
    fake_reset();
    fake_fini();
}

static void answer_with(const char *path, const char *ask, const char *values)
{
    const char *number = fake_node(ask);
    char text[256];

    if (!number)
        return;
    (void)snprintf(text, sizeof(text), "%s %s", number, values);
    fake_node_set(path, text);
}

static void answer_well(void)
{
    answer_with(DISK "/counters", DISK "/counters-ask",
                "rd_req=3 rd_bytes=12288 wr_req=1 wr_bytes=4096 flush_req=1 errors=0");
    answer_with(NIC "/counters", NIC "/counters-ask",
                "rx_bytes=100 rx_packets=2 rx_drop=1 tx_bytes=7 tx_packets=1 tx_drop=0 "
                "drop_rx_rate=1");
}

static void answer_badly(void)
{
    answer_with(DISK "/counters", DISK "/counters-ask", "rd_req=\x1b[2J");
}

TEST(lists)
{
    begin();
    EXPECT(says("domiflist guest", " vif4.0          bridge   br0             netfront   "
                                   "00:16:3e:01:02:03  net\n"));
    EXPECT(strstr(fake_said, " web0            bridge   br0             netfront   "
                             "00:16:3e:01:02:04  linux\n"));
    EXPECT(says("domiflist guest --json", "\"interface\": \"vif4.0\""));
    EXPECT(says("domblklist guest", " xvda     /dev/nvme0n1 "));
    EXPECT(says("domblklist --json guest", "\"source\": \"/dev/nvme0n1\""));
    EXPECT(says("domblklist block", "Target"));
    EXPECT(errs("domblklist --json", "too few words: write: domblklist DOMAIN [--json]"));
    EXPECT(errs("domiflist nobody", "there is no domain nobody"));
    EXPECT(says("dumpxml guest", "<target dev='vif4.0'/>"));
    EXPECT(says("dominfo guest", "Interface:      0 (00:16:3e:01:02:03) on bridge br0 of net"));
    end();
}

TEST(counters_of_one)
{
    begin();
    answer = answer_well;
    EXPECT(says("domblkstat guest xvda", "xvda rd_req 3\nxvda rd_bytes 12288\n"));
    EXPECT(strstr(fake_said, "xvda flush_operations 1\nxvda errs 0\n"));
    EXPECT(says("domblkstat guest /dev/nvme0n1 --json", "\"rd_bytes\": 12288"));
    EXPECT(says("domifstat guest vif4.0", "vif4.0 rx_bytes 100\n"));
    EXPECT(strstr(fake_said, "vif4.0 drop_rx_rate 1\n"));
    EXPECT(says("domifstat guest 00:16:3E:01:02:03 --json", "\"rx_packets\": 2"));
    EXPECT(
        errs("domifstat guest vif4.7", "domain guest has no interface vif4.7: `domiflist guest`"));
    EXPECT(errs("domblkstat guest web0", "has no disk web0"));
    EXPECT(errs("domblkstat guest", "too few words: write: domblkstat DOMAIN DISK"));
    EXPECT(errs("domifstat guest web0", "web0 of guest: linux is no driver domain of ours"));
    end();
}

TEST(back_ends_that_do_not_answer)
{
    begin();
    /* What stands there answers an older question. */
    fake_node_set(DISK "/counters", "0 rd_req=9");
    EXPECT(errs("domblkstat guest xvda", "xvda of guest: block does not answer"));
    answer = answer_badly;
    EXPECT(errs("domblkstat guest xvda", "block gave an answer that makes no sense"));
    fake_shutdown(1, SHUTDOWN_crash);
    supervise_step(&s);
    EXPECT(errs("domblkstat guest xvda", "xvda of guest: block is gone"));
    EXPECT(run("destroy guest") == 0);
    EXPECT(errs("domblkstat guest xvda", "domain guest is not running: it is shut off"));
    end();
}

TEST(counters_of_all)
{
    begin();
    answer = answer_well;
    EXPECT(says("domstats", "  net.count=2\n  net.0.name=vif4.0\n  net.0.rx.bytes=100\n"));
    EXPECT(strstr(fake_said, "  net.0.drop_rx_rate=1\n"));
    EXPECT(strstr(fake_said, "  net.1.error=linux is no driver domain of ours"));
    EXPECT(strstr(fake_said, "  block.count=1\n  block.0.name=xvda\n  block.0.rd.reqs=3\n"));
    EXPECT(strstr(fake_said, "  block.0.fl.reqs=1\n"));
    EXPECT(says("domstats guest --json", "\"block.0.wr.bytes\": 4096"));
    end();
}

/* Who serves others goes last: a guest may have something to write when it stops. */
TEST(power_off_goes_from_users_to_who_serves_them)
{
    begin();
    fake_node_set("/local/domain/3/control/feature-poweroff", "1");
    fake_node_set("/local/domain/4/control/feature-poweroff", "1");
    EXPECT(says("poweroff", "Waiting for 1 domain to shut down"));
    EXPECT(fake_node("/local/domain/4/control/shutdown"));
    EXPECT(!fake_node("/local/domain/3/control/shutdown"));
    EXPECT(cli_leave(&cli) == 0);
    fake_shutdown(4, SHUTDOWN_poweroff);
    supervise_step(&s);
    EXPECT(s.entries[3]->phase == ENTRY_CLOSING && cli_leave(&cli) == 0);
    fake_now += 2ull * 1000000000;
    supervise_step(&s);
    EXPECT(cli_leave(&cli) == 1 && fake_node("/local/domain/3/control/shutdown"));
    end();
}

/* One that does not listen holds nobody up. */
TEST(power_off_of_the_deaf)
{
    begin();
    fake_node_set("/local/domain/3/control/feature-poweroff", "1");
    EXPECT(says("poweroff", "Waiting for 1 domain to shut down"));
    EXPECT(fake_node("/local/domain/3/control/shutdown"));
    end();
}

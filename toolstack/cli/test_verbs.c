/* Every verb over a pretend core: right and wrong use, and what is shown. */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <abi/life.h>
#include <check.h>

#include <xen/sched.h>

static struct config_hostdev nvme = {.slot = 4};
static struct domain_config block;
static struct domain_config guest;

static char name_block[] = "block";
static char name_guest[] = "guest";
static char file[] = "/x.xml";
static char kernel[] = "/vmlinux";

static void begin(void)
{
    fake_reset();
    fake_file("/vmlinux", NULL, 0);
    block = (struct domain_config){.file = file,
                                   .name = name_block,
                                   .memory_bytes = 8u << 20,
                                   .vcpus = 1,
                                   .kernel = kernel,
                                   .hostdevs = &nvme,
                                   .hostdev_count = 1};
    guest = (struct domain_config){
        .file = file, .name = name_guest, .memory_bytes = 8u << 20, .vcpus = 1, .kernel = kernel};
    s = (struct supervise){
        .store = &fake_store, .root = &fake_root, .store_domid = 14, .console_domid = 15};
    cli = (struct cli){.supervise = &s, .root = &fake_root};
    supervise_start(&s, supervise_add(&s, &block));
    supervise_step(&s);
    supervise_add(&s, &guest);
}

/* The guest runs, too, as domain 2. */
static void begin_running(void)
{
    begin();
    supervise_start(&s, s.entries[1]);
    supervise_step(&s);
}

static void end(void)
{
    supervise_fini(&s);
    fake_reset();
    fake_fini();
}

TEST(lines_that_are_no_command)
{
    begin();
    EXPECT(run("") == 0 && run("   ") == 0 && run("# list") == 0);
    EXPECT(errs("lst", "unknown verb lst: `help` lists them"));
    EXPECT(errs("destroy", "too few words: write: destroy DOMAIN"));
    EXPECT(errs("destroy a b", "too many words: write: destroy DOMAIN"));
    EXPECT(errs("list 'a", "a quote is not closed"));
    EXPECT(errs("list --some", "--some: write: list [--all] [--json]"));
    EXPECT(errs("store frob /x", "frob: write: store ls"));
    EXPECT(errs("store write /x", "too few words"));
    EXPECT(errs("store read", "too few words"));
    end();
}

TEST(help_for_all)
{
    begin();
    EXPECT(says("help", "list the domains"));
    for (size_t i = 0; i < verb_count; i++) {
        char line[64];

        EXPECT(verb_find(verbs[i].name) == &verbs[i]);
        EXPECT(i == 0 || strcmp(verbs[i - 1].name, verbs[i].name) < 0);
        (void)snprintf(line, sizeof(line), "help %s", verbs[i].name);
        EXPECT(says(line, verbs[i].what));
    }
    EXPECT(errs("help nothing", "unknown verb"));
    end();
}

TEST(lists)
{
    begin();
    EXPECT(says("list", " 1    block                running   UNSAFE\n"));
    EXPECT(!strstr(fake_said, "guest"));
    EXPECT(says("list --all", " -    guest                shut off\n"));
    EXPECT(says("list --json", "\"name\": \"block\""));
    EXPECT(says("list --json --all", "\"unsafe\": true"));
    cli.iommu_present = true;
    EXPECT(run("list") == 0 && !strstr(fake_said, "UNSAFE"));
    end();
}

TEST(infos)
{
    begin();
    EXPECT(says("dominfo block", "State:          running"));
    EXPECT(strstr(fake_said, "PCI function:   0000:00:04.0"));
    EXPECT(strstr(fake_said, "UNSAFE: no IOMMU"));
    EXPECT(says("dominfo 1", "Name:           block"));
    EXPECT(says("dominfo guest", "Id:             -"));
    EXPECT(errs("dominfo 7", "there is no domain 7"));
    EXPECT(says("domstats", "Domain: 'block'"));
    EXPECT(strstr(fake_said, "  exits=42\n"));
    EXPECT(says("domstats block --json", "\"exits\": 42"));
    EXPECT(errs("domstats guest", "is not running: it is shut off"));
    EXPECT(says("dumpxml guest", "<name>guest</name>"));
    EXPECT(says("nodeinfo", "1048576 KiB"));
    EXPECT(says("nodeinfo --json", "\"free\": 1073741824"));
    EXPECT(says("dmesg", "a line of the core\n"));
    end();
}

TEST(asking_a_guest)
{
    begin_running();
    EXPECT(errs("shutdown guest", "does not listen"));
    fake_node_set("/local/domain/2/control/feature-poweroff", "1");
    EXPECT(says("shutdown guest", "Domain guest is being shut down"));
    EXPECT(strcmp(fake_node("/local/domain/2/control/shutdown"), "poweroff") == 0);
    EXPECT(errs("reboot guest", "does not listen"));
    fake_node_set("/local/domain/2/control/feature-reboot", "1");
    EXPECT(says("reboot guest", "is being rebooted"));
    EXPECT(says("suspend guest", "Domain guest suspended") && fake_domains[2].paused);
    EXPECT(says("list", "guest                paused"));
    EXPECT(errs("suspend guest", "is paused already"));
    EXPECT(says("resume guest", "Domain guest resumed") && !fake_domains[2].paused);
    EXPECT(errs("resume guest", "is running already"));
    EXPECT(says("console guest", "Escape character is ^]") && cli.attached && fake_attached == 2);
    end();
}

TEST(destroying)
{
    begin_running();
    EXPECT(says("destroy guest", "Domain guest destroyed") && !fake_domains[2].exists);
    EXPECT(errs("destroy guest", "is not running"));
    EXPECT(errs("console guest", "is not running"));
    EXPECT(errs("suspend guest", "is not running: it is shut off"));
    EXPECT(errs("destroy other", "there is no domain other"));
    s.entries[0]->service = true;
    EXPECT(errs("destroy block", "serves all domains"));
    EXPECT(errs("suspend block", "serves all domains"));
    EXPECT(errs("console block", "has no console"));
    end();
}

/* Of the rig's domains one is a Linux driver domain; one of ours could lie parked. */
TEST(restarting)
{
    begin_running();
    EXPECT(errs("restart other", "there is no domain other"));
    EXPECT(errs("restart guest", "only who serves others does"));
    EXPECT(run("restart block") == -1 && strstr(fake_said, "block: not restarted: its system"));
    fake_node_set("/local/domain/1/control/feature-detach", "1");
    EXPECT(run("suspend block") == 0 && run("restart block") == -1 && run("resume block") == 0);
    EXPECT(says("restart block", "block: asked to let go of its guests' devices"));
    s.entries[0]->dead = s.entries[0]->parked = true;
    EXPECT(says("list", "block                parked"));
    EXPECT(errs("suspend block", "is not running: it is parked"));
    EXPECT(says("destroy block", "Domain block destroyed"));
    EXPECT(errs("restart block", "is not running: it is shut off"));
    s.entries[1]->again = fake_now + 1;
    EXPECT(says("list", "guest                starting"));
    end();
}

static const char new_xml[] = "<domain type='xen'><name>fresh</name><memory unit='MiB'>8</memory>"
                              "<vcpu>1</vcpu><os><type>xenpvh</type><kernel>/vmlinux</kernel></os>"
                              "</domain>";

/* The block domain becomes one of ours, which takes orders. */
static char image[] = "/bulkhead/block.elf";
static bool takes;

static void take(void)
{
    if (takes)
        (void)!store_remove(&fake_store, 0, "%s", "/local/domain/1/control/inject");
}

TEST(injecting)
{
    begin_running();
    EXPECT(errs("inject block crash", "host.xml:1: fault injection is not allowed on this host: "
                                      "write <fault-injection allowed='yes'/>"));
    cli.faults_line = 4;
    EXPECT(errs("inject block crash", "host.xml:4: "));
    EXPECT(run("list") == 0 && !strstr(fake_said, "INJECTABLE"));
    s.faults_allowed = true;
    EXPECT(errs("inject block", "too few words: write: inject DOMAIN KIND [SEED]"));
    EXPECT(errs("inject block crush", "crush is no kind of fault: write crash, hang"));
    EXPECT(errs("inject block crash 1x", "1x is no seed"));
    EXPECT(errs("inject other crash", "there is no domain other"));
    EXPECT(errs("inject guest crash", "domain guest takes no such orders"));
    EXPECT(!fake_node("/local/domain/2/control/inject"));
    block.kernel = image;
    block.on_crash = CONFIG_RESTART;
    EXPECT(errs("inject block crash 12", "has not taken the order in 2 s"));
    EXPECT(!fake_node("/local/domain/1/control/inject"));
    answer = take;
    takes = true;
    EXPECT(says("inject block wild-write 12", "Domain block: wild-write, seed 12\n"));
    EXPECT(says("inject block flip", "Domain block: flip, seed "));
    EXPECT(says("list", "block                running   UNSAFE   INJECTABLE\n"));
    EXPECT(says("list --json", "\"injectable\": true"));
    EXPECT(says("dominfo block", "INJECTABLE"));
    answer = NULL;
    end();
}

/* A service says when it has an order, before it obeys. */
static void be_ordered(void)
{
    if (takes && fake_domains[2].ordered != 0)
        ((struct life_page *)(void *)fake_domains[2].life)->obeyed++;
}

/* The port that an order came by; the life page says which is which. */
static evtchn_port_t ordered(void)
{
    evtchn_port_t port = fake_domains[2].ordered;

    fake_domains[2].ordered = 0;
    return port;
}

/* The store cannot be told by the store, and some faults would be everybody's. */
TEST(injecting_into_a_service)
{
    struct fake_domain *d = &fake_domains[2];
    struct life_page *page = (void *)d->life;

    begin_running();
    s.faults_allowed = true;
    s.entries[1]->service = true;
    EXPECT(errs("inject guest crash", "the core refused the order"));
    d->paired = true;
    d->ports = 5;
    for (unsigned i = 0; i < LIFE_ORDERS; i++)
        page->orders[i] = 2 + i;
    EXPECT(errs("inject guest stall-dma", "does not take the order stall-dma, since it has no "
                                          "device: write crash, hang or leak"));
    EXPECT(errs("inject guest corrupt-ring", "its rings are all domains'"));
    EXPECT(errs("inject guest wild-write", "what it keeps is all domains'"));
    EXPECT(errs("inject guest flip", "what it keeps is all domains'"));
    EXPECT(ordered() == 0);
    answer = be_ordered;
    takes = false;
    EXPECT(errs("inject guest hang", "has not taken the order in 2 s") && ordered() == 3);
    takes = true;
    EXPECT(says("inject guest crash", "Domain guest: crash\n") && ordered() == 2);
    EXPECT(says("inject guest hang", "Domain guest: hang\n") && ordered() == 3);
    EXPECT(says("inject guest leak", "Domain guest: leak\n") && ordered() == 4);
    EXPECT(!fake_node("/local/domain/2/control/inject"));
    EXPECT(says("list", "guest                running   INJECTABLE\n"));
    s.entries[1]->domid = 0; /* the control domain's id */
    EXPECT(!cli_is_injectable(&cli, s.entries[1]));
    s.entries[1]->domid = 2;
    answer = NULL;
    end();
}

TEST(creating)
{
    begin();
    fake_file("/fresh.xml", new_xml, sizeof(new_xml) - 1);
    EXPECT(says("create /fresh.xml", "Domain fresh created from /fresh.xml"));
    EXPECT(s.count == 3 && s.entries[2]->phase == ENTRY_LIVE);
    EXPECT(errs("create /fresh.xml", "domain fresh exists already: it is running"));
    EXPECT(says("destroy fresh", "destroyed"));
    EXPECT(says("create /fresh.xml", "created") && s.count == 3);
    supervise_stop(&s, s.entries[2], NEXT_STOP);
    EXPECT(s.entries[2]->phase == ENTRY_CLOSING);
    EXPECT(says("create /fresh.xml", "created") && s.count == 3);
    EXPECT(errs("create /none.xml", "/none.xml"));
    EXPECT(errs("create /vmlinux", "/vmlinux"));
    EXPECT(run("destroy fresh") == 0);
    config_domain_free(s.entries[2]->config);
    supervise_remove(&s, s.entries[2]);
    end();
}

TEST(store_nodes)
{
    begin();
    EXPECT(says("store ls /local/domain/1", "name\n"));
    EXPECT(says("store read /local/domain/1/name", "block\n"));
    EXPECT(run("store write /tool/x 'a b'") == 0);
    EXPECT(strcmp(fake_node("/tool/x"), "a b") == 0);
    EXPECT(errs("store read /nothing", "/nothing: No such file or directory"));
    EXPECT(run("store watch /tool") == 0 && strcmp(cli.watching, "/tool") == 0);
    free(cli.watching);
    end();
}

TEST(powering_off)
{
    begin_running();
    fake_node_set("/local/domain/2/control/feature-poweroff", "1");
    EXPECT(says("poweroff", "Waiting for 1 domain to shut down"));
    EXPECT(cli.leaving && s.leaving && cli.leave_time > fake_now);
    EXPECT(run("poweroff --now") == 0 && cli.leave_time == 0);
    EXPECT(errs("poweroff --later", "--later: write: poweroff [--now]"));
    end();
}

TEST(completion)
{
    const char *words[COMPLETE_MAX];
    size_t typed;

    begin();
    EXPECT(cli_complete(&cli, "d", 1, words, &typed) == 10 && typed == 1);
    EXPECT(cli_complete(&cli, "", 0, words, &typed) == verb_count);
    EXPECT(cli_complete(&cli, "  lis", 5, words, &typed) == 1 && strcmp(words[0], "list") == 0);
    EXPECT(cli_complete(&cli, "destroy ", 8, words, &typed) == 2 && typed == 0);
    EXPECT(cli_complete(&cli, "destroy gu", 10, words, &typed) == 1 && typed == 2);
    EXPECT(cli_complete(&cli, "help li", 7, words, &typed) == 1);
    EXPECT(cli_complete(&cli, "create x", 8, words, &typed) == 0);
    EXPECT(cli_complete(&cli, "destro gu", 9, words, &typed) == 0);
    end();
}

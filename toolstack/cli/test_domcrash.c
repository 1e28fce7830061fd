/* What domcrash makes of a crash's remains, be they honest or not. */
#include "rig.h"

#include <stdlib.h>
#include <string.h>

#include <check.h>
#include <crash/tiny.h>

#define STACK 0x300000ull

static struct evidence *remains;
static char name[] = "block";
static char file[] = "/x.xml";
static char kernel[] = "/vmlinux"; /* of no image of ours */
static struct domain_config config = {.file = file, .name = name, .kernel = kernel};

static void begin(void)
{
    fake_reset();
    s = (struct supervise){.store = &fake_store, .root = &fake_root};
    cli = (struct cli){.supervise = &s, .root = &fake_root};
    EXPECT(supervise_add(&s, &config));
}

static void end(void)
{
    supervise_fini(&s);
    fake_reset();
    fake_fini();
}

/* Of block's last life; freed with its entry. */
static void begin_crashed(uint32_t kind)
{
    size_t len;
    const uint8_t *bytes = tiny_image(&len);

    begin();
    fake_file("/tiny.elf", bytes, len);
    remains = calloc(1, sizeof(*remains));
    EXPECT(remains);
    s.entries[0]->evidence = remains;
    remains->domid = 1;
    remains->life = 3;
    remains->what = "crashed";
    remains->kernel = strdup("/tiny.elf");
    remains->started = 1000000000;
    remains->died = 3500000000;
    remains->has_page = true;
    remains->page.end.kind = kind;
}

static void set_stack(uint64_t rip)
{
    uint64_t words[8] = {0xb,        TINY_TEXT + TINY_MIDDLE + 10, 0, 0,
                         STACK + 64, TINY_TEXT + TINY_OUTER + 9};

    remains->page.end.registers[LIFE_RIP] = rip;
    remains->page.end.registers[LIFE_RSP] = STACK;
    remains->page.end.registers[LIFE_RBP] = STACK + 32;
    remains->stack_base = STACK;
    remains->stack_len = sizeof(words);
    memcpy(remains->stack, words, sizeof(words));
}

TEST(an_exception)
{
    begin_crashed(LIFE_EXCEPTION);
    set_stack(TINY_TEXT + TINY_INNER + 3);
    remains->page.end.vector = 14;
    remains->page.end.error = 2;
    remains->page.end.address = 0x18;
    remains->page.end.registers[3] = 0xabc;
    remains->page.logged = 12;
    memcpy(remains->page.log, "one\ntwo\nend\n", 12);
    EXPECT(
        says("domcrash block", "Domain block (id 1), life 3: crashed at 3500 ms, after 2500 ms"));
    EXPECT(strstr(fake_said, "exception 14 (page fault), error 0x2, address 0x18"));
    EXPECT(strstr(fake_said, "  rip 0000000000201043"));
    EXPECT(strstr(fake_said, "  rbx 0000000000000abc"));
    EXPECT(strstr(fake_said, "\n  inner+0x3\n  middle+0xa\n  outer+0x9\n"));
    EXPECT(strstr(fake_said, "the last of its log:\n  one\n  two\n  end\n"));
    end();
}

TEST(a_word)
{
    begin_crashed(LIFE_WORD);
    set_stack(TINY_TEXT + TINY_OUTER + 9);
    memset(remains->page.end.why, 'w', LIFE_WHY); /* no end to it */
    EXPECT(says("domcrash block", "it ended itself: wwww"));
    EXPECT(strstr(fake_said, "\n  outer+0x9\n") && strstr(fake_said, "it logged nothing"));
    end();
}

/* The ring has gone round: its oldest bytes are no whole line; only the last lines are shown. */
TEST(a_long_log)
{
    begin_crashed(LIFE_GOES_ON);
    remains->page.logged = 10 * LIFE_LOG + 4;
    memset(remains->page.log, 'x', LIFE_LOG);
    for (unsigned i = 0; i < LIFE_LOG; i += 8)
        remains->page.log[i] = '\n';
    remains->page.log[3] = 'L';
    EXPECT(says("domcrash block", "the last of its log:\n  xxxxxxx\n"));
    EXPECT(fake_count_said("\n  xxx") == 19); /* and the last one, which has no end yet */
    EXPECT(says("domcrash block", "\n  xxL\n"));
    end();
}

/* A count that lies is cut to the ring. */
TEST(a_log_that_lies)
{
    begin_crashed(LIFE_GOES_ON);
    remains->page.logged = UINT64_MAX;
    EXPECT(says("domcrash block", "the last of its log:"));
    remains->page.logged = 1;
    EXPECT(says("domcrash block", "the last of its log:"));
    end();
}

/* Registers from nowhere, an image that is gone, one that is none. */
TEST(remains_that_say_little)
{
    begin_crashed(LIFE_EXCEPTION);
    remains->page.end.vector = UINT32_MAX;
    memset(remains->page.end.registers, 0xff, sizeof(remains->page.end.registers));
    EXPECT(says("domcrash block", "exception 4294967295 (unknown)"));
    EXPECT(strstr(fake_said, "\n  0xffffffffffffffff\n"));
    remains->kernel[1] = 'x';
    EXPECT(says("domcrash block", "its image cannot be read"));
    fake_file("/xiny.elf", "no image", 8);
    EXPECT(says("domcrash block", "its image has no symbols"));
    end();
}

/* Those that left no record: what the core said of their end, of this id and the last time. */
TEST(the_cores_word)
{
    begin_crashed(LIFE_GOES_ON);
    remains->has_page = false;
    fake_log = "domain 1 (block) crashed: first\nvCPU 0: rip 1\n  rax 1\n"
               "x domain 1 (block) crashed: no line\n"
               "domain 1 (block) crashed: triple fault\nvCPU 0: rip 2\n  rax 2\nother\n"
               "domain 11 (block) crashed: another\n";
    EXPECT(says("domcrash block", "the core's log:\ndomain 1 (block) crashed: triple fault\n"
                                  "vCPU 0: rip 2\n  rax 2\n"));
    EXPECT(!strstr(fake_said, "other") && !strstr(fake_said, "first"));
    fake_log = "";
    EXPECT(says("domcrash block", "the core did not end it: it said itself"));
    end();
}

TEST(nothing_to_tell)
{
    begin();
    EXPECT(says("domcrash block", "Domain block has not crashed"));
    EXPECT(errs("domcrash other", "there is no domain other"));
    end();
}

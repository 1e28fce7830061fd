/* The table of verbs, and from a line to the verb that runs. */
#include "cli.h"

#include "words.h"

#include <string.h>

#define DOMAIN "DOMAIN"

const struct verb verbs[] = {
    {"console", DOMAIN, "connect to a domain's console",
     "What is typed goes to the domain until ^] gives it back to the prompt. The last of what the "
     "domain wrote before is shown first.",
     1, 1, WORDS_DOMAIN, verb_console},
    {"create", "FILE", "start a domain from a file of the bundle",
     "FILE is a path as in host.xml, such as /debian.xml. A stopped domain of that name is started "
     "from what the file says.",
     1, 1, WORDS_NONE, verb_create},
    {"destroy", DOMAIN, "stop a domain at once",
     "As if its plug were pulled. shutdown asks it politely.", 1, 1, WORDS_DOMAIN, verb_destroy},
    {"dmesg", "", "show the core's log", "", 0, 0, WORDS_NONE, verb_dmesg},
    {"domblklist", DOMAIN " [--json]", "list a domain's disks", "", 1, 2, WORDS_DOMAIN,
     verb_domblklist},
    {"domblkstat", DOMAIN " DISK [--json]", "show what a disk did",
     "DISK is its target, such as xvda. The back end is asked; it has two seconds to answer.", 2, 3,
     WORDS_DOMAIN, verb_domblkstat},
    {"domcrash", DOMAIN, "show what is known of a domain's last crash",
     "Of a domain of ours: registers, who called whom, and the last lines of its log.", 1, 1,
     WORDS_DOMAIN, verb_domcrash},
    {"domiflist", DOMAIN " [--json]", "list a domain's network interfaces", "", 1, 2, WORDS_DOMAIN,
     verb_domiflist},
    {"domifstat", DOMAIN " INTERFACE [--json]", "show what a network interface did",
     "INTERFACE is what domiflist shows, or its address. rx is to the domain, tx from it; what was "
     "dropped is counted by reason. The back end is asked; it has two seconds to answer.",
     2, 3, WORDS_DOMAIN, verb_domifstat},
    {"dominfo", DOMAIN, "show what a domain is", "", 1, 1, WORDS_DOMAIN, verb_dominfo},
    {"domstats", "[DOMAIN] [--json]", "show what domains did",
     "As the core counts, and the back ends of their disks and interfaces.", 0, 2, WORDS_DOMAIN,
     verb_domstats},
    {"dumpxml", DOMAIN, "show a domain's description", "", 1, 1, WORDS_DOMAIN, verb_dumpxml},
    {"help", "[VERB]", "show this, or more on one verb", "", 0, 1, WORDS_VERB, verb_help},
    {"inject", DOMAIN " KIND [SEED]", "make a domain of ours fail on purpose",
     "KIND is crash, hang, wild-write, stall-dma, corrupt-ring, leak or flip, of store and console "
     "the first two and leak; with the same SEED the same is spoilt. host.xml must allow it. What "
     "the domain's clients then get is its business: "
     "after wild-write, corrupt-ring and flip that may be wrong data.",
     2, 3, WORDS_DOMAIN, verb_inject},
    {"inject-nmi", DOMAIN, "send a domain an NMI",
     "A kernel may tell where it hangs. A domain of ours dies of it, and its log says where.", 1, 1,
     WORDS_DOMAIN, verb_inject_nmi},
    {"list", "[--all] [--json]", "list the domains",
     "Only those that run, or all. UNSAFE: a domain owns a device whose DMA nothing contains. "
     "INJECTABLE: it fails when `inject` tells it to.",
     0, 2, WORDS_NONE, verb_list},
    {"nodedev-dumpxml", "NAME", "show one of the host's PCI functions",
     "NAME is what nodedev-list shows. The functions of its iommuGroup go to one domain.", 1, 1,
     WORDS_NONE, verb_nodedev_dumpxml},
    {"nodedev-list", "[--tree] [--json]", "list the host's PCI functions",
     "--tree shows the bridges they are behind, which group they belong to, and who has them.", 0,
     2, WORDS_NONE, verb_nodedev_list},
    {"nodeinfo", "[--json]", "show what the host has", "", 0, 1, WORDS_NONE, verb_nodeinfo},
    {"poweroff", "[--now]", "stop the guests, then the host",
     "Guests that listen are asked and have a minute; the others, and all with --now, just stop.",
     0, 1, WORDS_NONE, verb_poweroff},
    {"reboot", DOMAIN, "ask a domain to reboot", "", 1, 1, WORDS_DOMAIN, verb_reboot},
    {"restart", DOMAIN, "start a driver domain, the store or the console anew, in place",
     "Guests keep what it serves and see a pause; what was under way is done again. One that was "
     "parked because it died too often gets another try. A Linux driver domain is asked to let go "
     "of its guests' devices first, and boots while they wait.",
     1, 1, WORDS_DOMAIN, verb_restart},
    {"resume", DOMAIN, "let a suspended domain go on", "", 1, 1, WORDS_DOMAIN, verb_resume},
    {"shutdown", DOMAIN, "ask a domain to power off", "", 1, 1, WORDS_DOMAIN, verb_shutdown},
    {"store", "ls|read|watch PATH, write PATH VALUE", "look into the store",
     "watch shows each change below PATH until the next line or ^C.", 1, 3, WORDS_NONE, verb_store},
    {"suspend", DOMAIN, "stop a domain's vCPUs for a while", "", 1, 1, WORDS_DOMAIN, verb_suspend},
    {"upgrade", DOMAIN " IMAGE", "let a driver domain go on with another image",
     "IMAGE is a file of the bundle. Guests see a pause, as with restart. It is refused if it "
     "lacks "
     "what a guest uses; if it does not come up, the last image is back.",
     2, 2, WORDS_DOMAIN, verb_upgrade},
};
const size_t verb_count = sizeof(verbs) / sizeof(verbs[0]);

const struct verb *verb_find(const char *name)
{
    for (size_t i = 0; i < verb_count; i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    return NULL;
}

int cli_usage(const char *verb, const char *wrong)
{
    const struct verb *v = verb_find(verb);

    return cli_error("%s: write: %s %s", wrong, verb, v ? v->args : "");
}

int cli_run(struct cli *cli, char *line)
{
    char *words[WORDS_MAX];
    const char *why;
    const struct verb *verb;
    int count = words_split(line, words, &why);

    if (count < 0)
        return cli_error("%s", why);
    if (count == 0)
        return 0;
    verb = verb_find(words[0]);
    if (!verb)
        return cli_error("unknown verb %s: `help` lists them", words[0]);
    if (count - 1 < verb->least)
        return cli_usage(verb->name, "too few words");
    if (count - 1 > verb->most)
        return cli_usage(verb->name, "too many words");
    return verb->run(cli, count, words);
}

/* Adds a word that begins like what is typed. */
static size_t offer(const char **words, size_t count, const char *word, const char *typed,
                    size_t len)
{
    if (count == COMPLETE_MAX || strncmp(word, typed, len) != 0)
        return count;
    words[count] = word;
    return count + 1;
}

static size_t offer_verbs(const char **words, const char *typed, size_t len)
{
    size_t count = 0;

    for (size_t i = 0; i < verb_count; i++)
        count = offer(words, count, verbs[i].name, typed, len);
    return count;
}

size_t cli_complete(const struct cli *cli, const char *line, size_t len,
                    const char *words[COMPLETE_MAX], size_t *typed)
{
    size_t start = len;
    size_t count = 0;

    while (start > 0 && line[start - 1] != ' ')
        start--;
    *typed = len - start;
    if (strspn(line, " ") >= start)
        return offer_verbs(words, line + start, *typed);
    for (size_t i = 0; i < verb_count; i++) {
        const char *at = line + strspn(line, " ");
        size_t name_len = strlen(verbs[i].name);

        if (strncmp(at, verbs[i].name, name_len) != 0 || at[name_len] != ' ')
            continue;
        if (verbs[i].words == WORDS_VERB)
            return offer_verbs(words, line + start, *typed);
        for (size_t n = 0; verbs[i].words == WORDS_DOMAIN && n < cli->supervise->count; n++)
            count =
                offer(words, count, cli->supervise->entries[n]->config->name, line + start, *typed);
    }
    return count;
}

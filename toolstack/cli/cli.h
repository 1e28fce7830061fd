/* The control prompt: what every verb works on, and the table of verbs. */
#ifndef CLI_H
#define CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <config/config.h>
#include <config/group.h>
#include <store_client.h>
#include <supervise/supervise.h>

struct cli {
    struct supervise *supervise;
    const struct config_root *root;
    bool iommu_required; /* host.xml's word */
    bool iommu_present;
    unsigned faults_line;         /* where host.xml has its word on fault injection; 0: nowhere */
    struct group_table functions; /* the host's; owners are those at its start */
    bool headless;
    bool attached;       /* what is typed goes to a domain */
    char *watching;      /* `store watch` runs on this path; NULL: none */
    bool leaving;        /* the host goes down when the last guest has */
    uint64_t leave_time; /* or at this time at the latest */
};

/* What the words after a verb are, for completion. */
enum verb_words { WORDS_NONE, WORDS_DOMAIN, WORDS_VERB };

struct verb {
    const char *name;
    const char *args; /* as usage shows them */
    const char *what; /* one line */
    const char *more; /* sentences for `help VERB`; "" if the line says it all */
    int least;        /* words after the verb */
    int most;
    enum verb_words words;
    int (*run)(struct cli *cli, int argc, char **argv);
};

extern const struct verb verbs[];
extern const size_t verb_count;

const struct verb *verb_find(const char *name);

/* Runs a line of the prompt; changes it. Returns zero, or -1 when an error was printed. */
int cli_run(struct cli *cli, char *line);

/*
 * Words that could stand at the end of a line's first `len` bytes; how many, and
 * in *typed how much of them is there already.
 */
#define COMPLETE_MAX 64
size_t cli_complete(const struct cli *cli, const char *line, size_t len,
                    const char *words[COMPLETE_MAX], size_t *typed);

/* ---- the verbs -------------------------------------------------------------------
 */

int verb_console(struct cli *cli, int argc, char **argv);
int verb_create(struct cli *cli, int argc, char **argv);
int verb_destroy(struct cli *cli, int argc, char **argv);
int verb_dmesg(struct cli *cli, int argc, char **argv);
int verb_domblklist(struct cli *cli, int argc, char **argv);
int verb_domblkstat(struct cli *cli, int argc, char **argv);
int verb_domcrash(struct cli *cli, int argc, char **argv);
int verb_domiflist(struct cli *cli, int argc, char **argv);
int verb_domifstat(struct cli *cli, int argc, char **argv);
int verb_dominfo(struct cli *cli, int argc, char **argv);
int verb_domstats(struct cli *cli, int argc, char **argv);
int verb_dumpxml(struct cli *cli, int argc, char **argv);
int verb_help(struct cli *cli, int argc, char **argv);
int verb_inject(struct cli *cli, int argc, char **argv);
int verb_inject_nmi(struct cli *cli, int argc, char **argv);
int verb_list(struct cli *cli, int argc, char **argv);
int verb_nodedev_dumpxml(struct cli *cli, int argc, char **argv);
int verb_nodedev_list(struct cli *cli, int argc, char **argv);
int verb_nodeinfo(struct cli *cli, int argc, char **argv);
int verb_poweroff(struct cli *cli, int argc, char **argv);
int verb_reboot(struct cli *cli, int argc, char **argv);
int verb_restart(struct cli *cli, int argc, char **argv);
int verb_upgrade(struct cli *cli, int argc, char **argv);
int verb_resume(struct cli *cli, int argc, char **argv);
int verb_shutdown(struct cli *cli, int argc, char **argv);
int verb_store(struct cli *cli, int argc, char **argv);
int verb_suspend(struct cli *cli, int argc, char **argv);

/* ---- what verbs share --------------------------------------------------------------------------
 */

/* The entry of that name or number; NULL after saying that there is none, or that it does not run.
 */
struct entry *cli_domain(struct cli *cli, const char *name);
struct entry *cli_live_domain(struct cli *cli, const char *name);

/* running, paused, crashed ... */
const char *cli_state(const struct entry *e);

/* For cli_wait, of an entry: it has ended, and its backends have let go. */
bool cli_is_gone(void *entry);

/* Owns PCI functions whose DMA nothing contains. */
bool cli_is_unsafe(const struct cli *cli, const struct entry *e);

/* Is one of ours, and fails when `inject` tells it to. */
bool cli_is_injectable(const struct cli *cli, const struct entry *e);

/* The entry of a configuration that was read now; a stopped one of that name takes it over. */
struct entry *cli_add_config(struct cli *cli, struct domain_config *config);

/* Takes `flag` out of the words after the verb; whether it was there. */
bool cli_flag(int *argc, char **argv, const char *flag);

/* Prints the wrong word and the verb's usage; -1. */
int cli_usage(const char *verb, const char *wrong);

/* Ends and prints what was written; -1 if memory ran out. */
struct json;
int cli_print_json(struct json *json);

/* Asks a guest by its node control/shutdown. */
int cli_ask(struct cli *cli, struct entry *e, const char *what);

/*
 * While the host goes down: asks those to power off that serve nobody any more
 * who could still be asked. How many were asked now.
 */
unsigned cli_leave(struct cli *cli);

/* ---- given by whoever has the terminal and the events
 * -------------------------------------------- */

/* Shows text; every byte but newline and printable UTF-8 is escaped. */
void cli_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "error: ..." and a newline; -1. */
int cli_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Lets the host run until done says so; false if ^C came first, or the time (ns) passed. */
#define CLI_VERB_TIME (30ull * 1000000000)
bool cli_wait(struct cli *cli, bool (*done)(void *context), void *context, uint64_t time);

#endif

/* Setters of how a domain of ours is watched, and how often it may come back. */
#include "elements.h"
#include "reading.h"
#include "value.h"

static const struct config_restart usual_restart = {.budget = 10, .per_s = 60, .backoff_ms = 100};

int lives_begin_watchdog(struct walk *walk)
{
    reading_domain(walk)->watchdog_line = walk->line;
    return 0;
}

int lives_set_watchdog(struct walk *walk, const char *text)
{
    reading_domain(walk)->watchdog_ms = value_number(text);
    return 0;
}

int lives_begin_restart(struct walk *walk)
{
    reading_domain(walk)->has_restart = true;
    reading_domain(walk)->restart = usual_restart;
    reading_domain(walk)->restart_line = walk->line;
    return 0;
}

int lives_set_budget(struct walk *walk, const char *text)
{
    reading_domain(walk)->restart.budget = value_number(text);
    return 0;
}

int lives_set_per(struct walk *walk, const char *text)
{
    reading_domain(walk)->restart.per_s = value_number(text);
    return 0;
}

int lives_set_backoff(struct walk *walk, const char *text)
{
    reading_domain(walk)->restart.backoff_ms = value_number(text);
    return 0;
}

void lives_check(struct walk *walk, const struct domain_config *domain)
{
    if (domain->watchdog_ms != 0 && !config_is_image(domain))
        walk_refuse(walk, domain->watchdog_line,
                    "only images of ours answer a watchdog, and %s is none: remove it",
                    domain->kernel);
    if (!domain->has_restart)
        return;
    if (!config_announces(domain))
        walk_refuse(walk, domain->restart_line,
                    "only block and net domains of ours come back in place: remove it");
    else if (domain->on_crash != CONFIG_RESTART)
        walk_refuse(
            walk, domain->restart_line,
            "the domain is not restarted when it crashes: write <on_crash>restart</on_crash>");
}

struct config_restart config_restart_of(const struct domain_config *domain)
{
    return domain->has_restart ? domain->restart : usual_restart;
}

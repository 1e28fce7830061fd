/* The control domain: its terminal, the services it starts first, and its one loop. */
#ifndef CONTROL_H
#define CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include <abi/event.h>
#include <cli/cli.h>
#include <cli/edit.h>

/* ---- terminal: the only place that writes to the core's console -------------------------------
 */

/* Binds what is typed; edit shows what is being typed. Zero or a negative error number. */
int term_open(struct cli *cli);

/*
 * An earlier life of ours may have given the terminal to a domain, which has it still.
 * If that is not there any more, it comes back to us.
 */
void term_find_attachment(void);

/* When what was held back must be shown at the latest; shows it if that is now. */
uint64_t term_due(void);

/* Shows the prompt, if it should stand there and does not. Before every sleep. */
void term_prompt(void);

/* Takes what was typed and runs the lines in it. */
void term_read(void);

/* Looks for ^C in what is typed while a verb waits; keeps the rest for term_read. */
bool term_is_broken(void);

/* ---- services -----------------------------------------------------------------------------------
 */

/*
 * Starts the store, connects to it, starts the console; or finds both, from an earlier
 * life of ours (*again). False: it was said why.
 */
bool services_open(struct supervise *s, bool *again);

/* Requests to the store that waited may have heard of a death, on the port given here. */
void services_listen(evtchn_port_t deaths);

/* True once after they have: the domains must be looked at. */
bool services_heard(void);

/* ---- host.xml -----------------------------------------------------------------------------------
 */

/*
 * Reads and checks all files and asks for the start of what should start; again: of
 * what should and is not there, after finding what is. False: host.xml is bad.
 */
bool host_start(struct cli *cli, bool again);

/* ---- our own lives ------------------------------------------------------------------------------
 */

/* Keeps what the last life left on our life page, if there was one. */
void lives_begin(void);

/* Says that there was one, why it ended, and how many domains were found. */
void lives_tell(struct supervise *s, int argc, char **argv);

/* ---- the loop -----------------------------------------------------------------------------------
 */

/* Moves domains on until nothing moves, shows what is watched; when it must run again. */
uint64_t loop_settle(struct cli *cli);

#endif

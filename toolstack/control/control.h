/* The control domain: its terminal, the services it starts first, and its one loop. */
#ifndef CONTROL_H
#define CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include <cli/cli.h>
#include <cli/edit.h>

/* ---- terminal: the only place that writes to the core's console -------------------------------
 */

/* Binds what is typed; edit shows what is being typed. Zero or a negative error number. */
int term_open(struct cli *cli);

/* Shows the prompt, if it should stand there and does not. Before every sleep. */
void term_prompt(void);

/* Takes what was typed and runs the lines in it. */
void term_read(void);

/* Looks for ^C in what is typed while a verb waits; keeps the rest for term_read. */
bool term_is_broken(void);

/* ---- services -----------------------------------------------------------------------------------
 */

/* Starts the store, connects to it, starts the console. False: it was said why. */
bool services_start(struct supervise *s);

/* ---- host.xml -----------------------------------------------------------------------------------
 */

/* Reads and checks all files and asks for the start of what should start. False: host.xml is bad.
 */
bool host_start(struct cli *cli);

/* ---- the loop -----------------------------------------------------------------------------------
 */

/* Moves domains on until nothing moves, shows what is watched; when it must run again. */
uint64_t loop_settle(struct cli *cli);

#endif

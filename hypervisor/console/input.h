/* What is typed: to exactly one of the prompt and the attached domain. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All with console_lock held. */

/* Takes in what the UART has; true if someone is to be told (VIRQ_CONSOLE). */
bool input_receive(void);

/* Bytes for the prompt, or for the attached domain. */
size_t input_take(bool attached, char *buf, size_t len);

/*
 * From now on the domain gets what is typed, also what was typed before and that
 * the prompt has not taken: it stood behind the command to attach.
 */
void input_attach(uint16_t domid);
void input_detach(void);

/* DOMID_INVALID: nobody is attached. */
uint16_t input_attached(void);

/* Counts attachments and their ends. */
uint32_t input_session(void);

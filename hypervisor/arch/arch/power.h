/* The end of the host. */
#pragma once

/*
 * Off. status (0 to 63) is shown where the machine can: with the option
 * debug_exit, 0x10 + status is written to that port.
 */
#define STATUS_FAILED 1u /* could not start */
#define STATUS_PANIC  2u /* the machine stays as it is, for whoever wants to look */
_Noreturn void power_off(unsigned status);

/* Starts the machine again: reset register, keyboard controller, triple fault, in this order. */
_Noreturn void power_reboot(void);

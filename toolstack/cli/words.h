/* Takes a command line apart into words. */
#ifndef CLI_WORDS_H
#define CLI_WORDS_H

#define WORDS_MAX 16

/*
 * Splits a line in place at blanks; '...' and "..." keep blanks, a backslash
 * keeps the next character, and # at the start of a word ends the line. Returns
 * how many words; or -1 with *why: an open quote, or more than WORDS_MAX.
 */
int words_split(char *line, char *words[WORDS_MAX], const char **why);

#endif

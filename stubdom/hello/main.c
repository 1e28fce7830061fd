/* The smallest domain there is: shows what it was started with, and ends. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rt/log.h>
#include <rt/start.h>

/* Ways to end, for those who want to see what becomes of a domain. */
static int end(const char *word)
{
    if (strcmp(word, "spin") == 0)
        for (;;)
            __asm__ volatile("pause");
    if (strcmp(word, "abort") == 0)
        abort();
    return strcmp(word, "fail") == 0;
}

int main(int argc, char **argv)
{
    char line[128];
    time_t now = time(NULL);
    FILE *file = fopen("/etc/motd", "r");

    log_line("hello from domain %u", start_domid());
    for (int i = 0; i < argc; i++)
        printf("argv[%d] = %s\n", i, argv[i]);
    while (file && fgets(line, sizeof(line), file))
        printf("/etc/motd: %s", line);
    if (file)
        (void)fclose(file);
    printf("time %s", asctime(gmtime(&now)));
    return argc > 1 ? end(argv[1]) : 0;
}

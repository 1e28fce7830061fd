/* The smallest domain there is: shows what it was started with, and ends. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <rt/log.h>
#include <rt/start.h>

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
    return argc > 1 && strcmp(argv[1], "fail") == 0;
}

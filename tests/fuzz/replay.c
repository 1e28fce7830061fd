/* Runs a fuzz target over every file of its corpus: what a build without a fuzzing engine does. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data = NULL;
    size_t size = 0;

    if (!f)
        return -1;
    for (size_t got = 1; got > 0; size += got) {
        uint8_t *more = realloc(data, size + 65536);

        if (!more)
            abort();
        data = more;
        got = fread(data + size, 1, 65536, f);
    }
    fclose(f);
    /* An exact-size copy, so that a read past the end is seen. */
    uint8_t *exact = malloc(size ? size : 1);

    if (!exact)
        abort();
    memcpy(exact, data, size);
    (void)LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    free(data);
    return 0;
}

int main(int argc, char **argv)
{
    unsigned count = 0;

    for (int i = 1; i < argc; i++) {
        DIR *dir = opendir(argv[i]);
        struct dirent *entry;

        if (!dir) {
            fprintf(stderr, "%s: no such corpus\n", argv[i]);
            return 1;
        }
        while ((entry = readdir(dir)) != NULL) {
            char path[4096];

            if (entry->d_name[0] == '.')
                continue;
            snprintf(path, sizeof(path), "%s/%s", argv[i], entry->d_name);
            if (run_file(path) != 0)
                return 1;
            count++;
        }
        closedir(dir);
    }
    printf("%u inputs\n", count);
    return count > 0 ? 0 : 1;
}

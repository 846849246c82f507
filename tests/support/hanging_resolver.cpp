// Preloaded into a program: looking up a name takes for ever, as with a name server that does not answer.
#include <netdb.h>
#include <unistd.h>

extern "C" int getaddrinfo(char const*, char const*, addrinfo const*, addrinfo**) // NOLINT: libc's name
{
    for (;;) ::pause();
}

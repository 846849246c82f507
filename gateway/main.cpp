// The program: picks the command. The only file outside a library.
#include "gateway/exit_status.hpp"

int main()
{
    return static_cast<int>(penstock::gateway::exit_status::usage);
}

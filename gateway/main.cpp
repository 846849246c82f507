// The program: hands its arguments to the command line. The only file outside a library.
#include "gateway/commands.hpp"

int main(int argc, char** argv) { return static_cast<int>(penstock::gateway::run_command_line(argc, argv)); }

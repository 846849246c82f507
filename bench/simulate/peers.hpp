// What others do, as small models of what they publish about themselves; not their code.
#pragma once

#include "bench/simulate/world.hpp"

namespace penstock::simulate {

std::unique_ptr<strategy> make_counters_of_each_gateway(world& in); // nobody knows of the others
std::unique_ptr<strategy> make_static_split(world& in);             // each gateway has its part of the limit
// Windows of a second; each gateway adds its own count to what the fleet had at the last exchange.
std::unique_ptr<strategy> make_exchange_every_100_ms(world& in);
std::unique_ptr<strategy> make_exchange_every_second(world& in);
// Windows of a second counted in the store, also by requests that it refuses; who is over is known to be until the window ends.
std::unique_ptr<strategy> make_window_in_the_store(world& in);

} // namespace penstock::simulate

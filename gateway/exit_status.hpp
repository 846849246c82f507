// What the program's exit status says (design.md section 2). Used by main and the commands.
#pragma once

namespace penstock::gateway {

enum class exit_status : int { done = 0, refused = 1, usage = 2 };

} // namespace penstock::gateway

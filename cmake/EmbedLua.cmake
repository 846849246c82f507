# penstock_embed_lua(TARGET): composes the scripts in lua/ and embeds text and SHA-1 of each into a generated source
# in the build folder. Nothing is generated into the source tree.
#
# Composing: a line `--@include FILE` in a script, or in what it includes, is replaced by lua/FILE. Comments and blank lines
# are left out, so that what Redis keeps, and an administrator sees in MONITOR, is the code alone. Editing any file in lua/
# runs this again.
function(penstock_compose_lua file out)
  file(READ "${CMAKE_SOURCE_DIR}/lua/${file}" text)
  while(text MATCHES "--@include ([a-z_/]+\\.lua)")
    set(include "${CMAKE_MATCH_0}")
    set(included "${CMAKE_MATCH_1}")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/lua/${included}")
    file(READ "${CMAKE_SOURCE_DIR}/lua/${included}" body)
    string(REPLACE "${include}" "${body}" text "${text}")
  endwhile()
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/lua/${file}")
  # No script has `--` inside a string: tests/contract runs what comes out of this.
  string(REGEX REPLACE "--[^\n]*" "" text "${text}")
  string(REGEX REPLACE "[ \t]*\n([ \t]*\n)*[ \t]*" "\n" text "${text}")
  string(STRIP "${text}" text)
  set(${out} "${text}\n" PARENT_SCOPE)
endfunction()

function(penstock_embed_lua target)
  set(generated "${CMAKE_BINARY_DIR}/generated/lua_scripts.cpp")
  set(definitions "")
  foreach(script acquire refund lease announce probe)
    penstock_compose_lua(${script}.lua text)
    string(SHA1 sha1 "${text}")
    string(APPEND definitions "script const ${script}{R\"lua(${text})lua\", \"${sha1}\"};\n")
  endforeach()
  # Writes only what changed, so that an unchanged script compiles nothing again.
  file(CONFIGURE OUTPUT "${generated}" @ONLY CONTENT [==[// Generated from lua/ by cmake/EmbedLua.cmake.
#include "limiter/redis/scripts.hpp"

namespace penstock::limiter::redis::scripts {

@definitions@
} // namespace penstock::limiter::redis::scripts
]==])
  target_sources(${target} PRIVATE "${generated}")
endfunction()

# Compiler settings that hold for every target: C++20, warnings as errors, the chosen sanitizer, a fast linker, ccache.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)

set(PENSTOCK_SANITIZE "" CACHE STRING "comma separated list for -fsanitize, empty for none")
option(PENSTOCK_WERROR "treat warnings as errors" ON)
option(PENSTOCK_LTO "link-time optimisation" OFF)

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # gcc 12 takes the operator new of an inlined coroutine frame for another than its operator delete (GCC bug 109867 and kin).
  add_compile_options(-Wno-mismatched-new-delete)
endif()
if(PENSTOCK_WERROR)
  add_compile_options(-Werror)
endif()

if(PENSTOCK_SANITIZE)
  add_compile_options(-fsanitize=${PENSTOCK_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  # Its look at a vtable needs a free descriptor, and takes a process that has none (a test of ours) for a broken object.
  add_compile_options(-fno-sanitize=vptr)
  add_link_options(-fsanitize=${PENSTOCK_SANITIZE})
  if(PENSTOCK_SANITIZE MATCHES "thread")
    # gcc says that it cannot instrument std::atomic_thread_fence; Asio uses it only where a mutex orders the same accesses.
    add_compile_options(-Wno-tsan)
  endif()
endif()

if(PENSTOCK_LTO)
  include(CheckIPOSupported)
  check_ipo_supported(RESULT penstock_ipo OUTPUT penstock_ipo_why LANGUAGES CXX)
  if(penstock_ipo)
    set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
  endif()
else()
  find_program(PENSTOCK_MOLD mold)
  if(PENSTOCK_MOLD)
    add_link_options(-fuse-ld=mold)
  endif()
endif()

find_program(PENSTOCK_CCACHE ccache)
if(PENSTOCK_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${PENSTOCK_CCACHE}")
endif()

# Every third-party package, found once and given one target name each. docs/adr/ says why each was chosen.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS url)
find_package(OpenSSL 3 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(yaml-cpp 0.7 REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
pkg_check_modules(HIREDIS REQUIRED IMPORTED_TARGET hiredis)
pkg_check_modules(PROMETHEUS_CORE REQUIRED IMPORTED_TARGET prometheus-cpp-core)

# Boost.Asio and Boost.Beast, compiled once into this library instead of in every file that includes them.
add_library(penstock_asio STATIC ${CMAKE_SOURCE_DIR}/cmake/asio.cpp)
target_compile_definitions(penstock_asio PUBLIC
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION
  BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_BOOST_REGEX
  # Coroutine frames need no more alignment than operator new gives; glibc serves that from its thread cache, aligned_alloc not.
  BOOST_ASIO_DISABLE_STD_ALIGNED_ALLOC BOOST_ASIO_DISABLE_BOOST_ALIGN)
target_compile_options(penstock_asio PRIVATE -w)
target_link_libraries(penstock_asio PUBLIC Boost::boost Threads::Threads OpenSSL::SSL)
# Third-party headers are not ours to warn about.
target_include_directories(penstock_asio SYSTEM PUBLIC ${Boost_INCLUDE_DIRS})

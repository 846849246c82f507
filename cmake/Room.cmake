# penstock_room(NAME LINKS target...): the static library of one room, made of every source beside its CMakeLists.txt
# and in its subfolders. What a room may link is fixed by house rule A1 and checked again by tools/check_source.py.
function(penstock_room name)
  cmake_parse_arguments(ROOM "" "" "LINKS;PRIVATE_LINKS;EXCLUDE" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp" "${CMAKE_CURRENT_SOURCE_DIR}/*.hpp")
  foreach(excluded IN LISTS ROOM_EXCLUDE)
    list(REMOVE_ITEM sources "${CMAKE_CURRENT_SOURCE_DIR}/${excluded}")
  endforeach()
  add_library(penstock_${name} STATIC ${sources})
  set_target_properties(penstock_${name} PROPERTIES LINKER_LANGUAGE CXX)
  target_include_directories(penstock_${name} PUBLIC "${CMAKE_SOURCE_DIR}")
  target_link_libraries(penstock_${name} PUBLIC ${ROOM_LINKS} PRIVATE ${ROOM_PRIVATE_LINKS})
endfunction()

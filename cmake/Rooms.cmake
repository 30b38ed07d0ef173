# A room is a folder: every .cpp and .h in it belongs to it, and it may use just the rooms it names.
# Files called *Routes.cpp form a second small library, <room>_routes, the only part that knows http.
#
#   companion_room(ledger USES db common)
#   companion_routes(ledger USES api)

# AUTOMOC runs again when a file that it read has changed, not when one has come (CMake 3.25 to 3.31 with Ninja): a new
# Q_OBJECT header would be compiled and never seen by moc. It also runs when a file that this folder's CMakeLists.txt
# includes has changed, so the list of sources is such a file.
function(companion_remember_sources name)
  set(list ${CMAKE_CURRENT_BINARY_DIR}/${name}_sources.cmake)
  file(CONFIGURE OUTPUT ${list} CONTENT "# ${ARGN}\n" @ONLY)
  include(${list})
endfunction()

function(companion_room name)
  cmake_parse_arguments(ROOM "" "" "USES;LINKS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS *.cpp *.h)
  list(FILTER sources EXCLUDE REGEX "Routes\\.(cpp|h)$")
  if(sources MATCHES "\\.cpp")
    add_library(${name} STATIC ${sources})
    companion_remember_sources(${name} ${sources})
    set(scope PUBLIC)
  else()
    add_library(${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(${name} ${scope} ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/backend)
  target_link_libraries(${name} ${scope} ${ROOM_USES} ${ROOM_LINKS} Qt6::Core)
  file(GLOB sql CONFIGURE_DEPENDS *.sql)
  companion_embed(${name} sql/${name} ${sql})
endfunction()

# The files become Qt resources under :/<prefix>/ in every program that links the room, however indirectly. Their object
# file goes straight into the program (not by way of an archive, where the linker would drop it for want of a caller).
function(companion_embed room prefix)
  if(NOT ARGN)
    return()
  endif()
  string(MAKE_C_IDENTIFIER ${room}_${prefix} embedded)
  set(qrc ${CMAKE_CURRENT_BINARY_DIR}/${embedded}.qrc)
  set(entries "")
  foreach(file ${ARGN})
    get_filename_component(alias ${file} NAME)
    string(APPEND entries "<file alias=\"${alias}\">${file}</file>\n")
  endforeach()
  file(CONFIGURE OUTPUT ${qrc} CONTENT "<RCC><qresource prefix=\"/${prefix}\">\n${entries}</qresource></RCC>\n")
  set(resource "") # a name of its own: qt_add_resources appends, and the caller's variables are seen here
  qt_add_resources(resource ${qrc})
  add_library(${embedded} OBJECT ${resource})
  set_target_properties(${embedded} PROPERTIES UNITY_BUILD OFF AUTORCC OFF AUTOMOC OFF)
  target_link_libraries(${embedded} PRIVATE Qt6::Core)
  target_sources(${room} INTERFACE
    $<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:$<TARGET_OBJECTS:${embedded}>>)
endfunction()

function(companion_routes name)
  cmake_parse_arguments(ROOM "" "" "USES;LINKS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS *Routes.cpp *Routes.h)
  add_library(${name}_routes STATIC ${sources})
  companion_remember_sources(${name}_routes ${sources})
  target_link_libraries(${name}_routes PUBLIC ${name} ${ROOM_USES} ${ROOM_LINKS})
endfunction()

# Every tests/<folder>/tst_*.cpp is one program and one ctest entry named <folder>/<name>.
#   companion_tests(ledger USES ledger test_support [LABELS long])
function(companion_tests folder)
  cmake_parse_arguments(T "" "TIMEOUT" "USES;LABELS" ${ARGN})
  file(GLOB programs CONFIGURE_DEPENDS tst_*.cpp)
  foreach(source ${programs})
    get_filename_component(test ${source} NAME_WE)
    string(REPLACE "tst_" "" short ${test})
    set(target test_${folder}_${short})
    add_executable(${target} ${source})
    target_link_libraries(${target} PRIVATE ${T_USES} Qt6::Test)
    set_target_properties(${target} PROPERTIES UNITY_BUILD OFF)
    add_test(NAME ${folder}/${short} COMMAND ${target})
    set_tests_properties(${folder}/${short} PROPERTIES
      TIMEOUT $<IF:$<BOOL:${T_TIMEOUT}>,${T_TIMEOUT},120> LABELS "${T_LABELS}"
      ENVIRONMENT "QT_QPA_PLATFORM=offscreen;LC_ALL=C.UTF-8")
  endforeach()
endfunction()

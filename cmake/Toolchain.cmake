# Language level, warnings, linker and sanitizers: the same for every room.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_AUTOMOC ON)
set(CMAKE_AUTORCC ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Werror
                    -Wno-missing-field-initializers) # designated initializers name what differs; the rest has defaults
add_compile_definitions(QT_NO_CAST_TO_ASCII QT_NO_FOREACH QT_NO_KEYWORDS QT_USE_QSTRINGBUILDER
                        QT_DISABLE_DEPRECATED_BEFORE=0x060400)
# The code speaks Qt 6.4; what a later Qt calls deprecated (6.5: Qt::TimeSpec in QDateTime) has no other spelling there.
add_compile_definitions(QT_WARN_DEPRECATED_UP_TO=0x060400)

find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

# -DCOMPANION_SANITIZE=address,undefined or thread
set(COMPANION_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize= takes them")
if(COMPANION_SANITIZE)
  add_compile_options(-fsanitize=${COMPANION_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${COMPANION_SANITIZE})
endif()
# libFuzzer: every room tells it which branches an input has reached. (clang finds fault with libstdc++ 12's own
# std::stable_sort, which calls what C++17 deprecated.)
if(COMPANION_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link -Wno-deprecated-declarations)
endif()

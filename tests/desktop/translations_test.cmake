# Fails when a text of the desktop has no finished translation: updates a copy of the .ts file from the sources as lupdate
# sees them, then looks for what is left unfinished.
# cmake -DLUPDATE=… -DROOT=… -DTS=… -DWORK=… -P translations_test.cmake
get_filename_component(name ${TS} NAME)
file(MAKE_DIRECTORY ${WORK})
file(COPY_FILE ${TS} ${WORK}/${name})
execute_process(COMMAND ${LUPDATE} -silent -locations none -no-obsolete -I ${ROOT} ${ROOT}/ui/desktop -ts ${WORK}/${name}
                RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "lupdate failed: ${output}")
endif()
file(READ ${WORK}/${name} text)
string(REGEX MATCHALL "<source>[^<]*</source>[ \n\t]*(<comment>[^<]*</comment>)?[ \n\t]*<translation type=\"unfinished\"" open "${text}")
list(LENGTH open count)
if(count GREATER 0)
  string(REPLACE ";" "\n" open "${open}")
  message(FATAL_ERROR "${count} texts are not translated; run lupdate (see ui/desktop/CMakeLists.txt) and translate:\n${open}")
endif()
string(REGEX MATCHALL "<message>" messages "${text}")
list(LENGTH messages total)
if(total LESS 250)
  message(FATAL_ERROR "only ${total} texts found: lupdate did not see the sources")
endif()
message(STATUS "${total} texts, all translated")

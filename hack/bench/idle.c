// The payload of a container that others are run in: it waits to be killed.
#include <unistd.h>
int main(void) {
  for (;;) pause();
}

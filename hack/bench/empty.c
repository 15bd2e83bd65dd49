// The least program: the payload of every measured container, and the floor of commands that start none.
int main(void) { return 0; }

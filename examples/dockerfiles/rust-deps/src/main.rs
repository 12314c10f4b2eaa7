mod say;

fn main() {
    say::hello();
}

pub fn hello() {
    println!("hello");
}

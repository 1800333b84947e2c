use super::*;

fn message() -> Message {
    let now = jiff::Timestamp::UNIX_EPOCH;
    Message {
        id: queue::MessageId::new(0, &[7; 10]),
        sender: "anna@client.example".parse().unwrap(),
        received_at: now,
        expires_at: now,
        size: 7,
        body_kind: queue::BodyKind::SevenBit,
        smtputf8: false,
        hops: 1,
        kind: queue::MessageKind::Mail,
        origin: queue::Origin {
            client: "127.0.0.1".to_owned(),
            helo: None,
            protocol: "ESMTP".to_owned(),
            about: None,
        },
        options: queue::Options::default(),
    }
}

fn names(dir: &Path, folder: &str) -> Vec<PathBuf> {
    let found = std::fs::read_dir(dir.join(folder)).unwrap();
    found.map(|entry| entry.unwrap().path()).collect()
}

fn recipient(index: u32, address: &str, original: Option<&str>) -> Recipient {
    let original = original.map(|text| text.parse().unwrap());
    Recipient {
        index,
        address: address.parse().unwrap(),
        destination: queue::DestinationKey::new("maildir:/x"),
        state: queue::RecipientState::Queued,
        next_attempt: None,
        attempts: 0,
        last: None,
        basis: None,
        options: queue::RecipientOptions::default(),
        rewritten: queue::Rewritten::of(None, original).map(Arc::new),
    }
}

fn work(to: &Recipient) -> Work {
    Work::new(Arc::new(message()), vec![to.clone()], None)
}

const BODY: Body = Body::Inline(Bytes::from_static(b"a\r\n\r\nb\r\n"));

#[tokio::test]
async fn a_second_delivery_after_a_crash_replaces_the_first() {
    let dir = tempfile::tempdir().unwrap();
    let disk: Arc<dyn Disk> = Arc::new(world::RealDisk);
    let to = recipient(0, "bert@dest.example", None);
    // A crash while the file was being written leaves it in `tmp`; one before the record, in `new`.
    let left = Names::new(dir.path(), &message(), 0).tmp;
    std::fs::create_dir_all(dir.path().join("tmp")).unwrap();
    std::fs::write(&left, "half").unwrap();
    for _ in 0..2 {
        deliver(&disk, (dir.path(), "+"), &work(&to), &to, &BODY)
            .await
            .unwrap();
        assert!(names(dir.path(), "tmp").is_empty());
        let new = names(dir.path(), "new");
        assert_eq!(new.len(), 1);
        let text = std::fs::read_to_string(&new[0]).unwrap();
        assert!(text.ends_with("\na\n\nb\n"), "{text}");
    }
    // Another recipient of the message has a file of its own.
    let other = recipient(1, "bert@dest.example", None);
    deliver(&disk, (dir.path(), "+"), &work(&other), &other, &BODY)
        .await
        .unwrap();
    assert_eq!(names(dir.path(), "new").len(), 2);
}

#[tokio::test]
async fn a_mailbox_is_made_on_its_first_mail_for_nobody_but_us() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let disk: Arc<dyn Disk> = Arc::new(world::RealDisk);
    let path = dir.path().join("ours.example/bert");
    let to = recipient(0, "bert@ours.example", Some("Info@ours.example"));
    deliver(&disk, (&path, "+"), &work(&to), &to, &BODY)
        .await
        .unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for part in ["", "tmp", "new", "cur", ".."] {
        assert_eq!(mode(&path.join(part)), 0o700, "{part}");
    }
    let file = &names(&path, "new")[0];
    assert_eq!(mode(file), 0o600);
    let text = std::fs::read_to_string(file).unwrap();
    assert!(
        text.starts_with(
            "Return-Path: <anna@client.example>\nDelivered-To: bert@ours.example\n\
             X-Original-To: Info@ours.example\na\n"
        ),
        "{text}"
    );
}

#[tokio::test]
async fn a_detail_names_a_folder_where_there_is_one_and_leads_nowhere_else() {
    let dir = tempfile::tempdir().unwrap();
    let disk: Arc<dyn Disk> = Arc::new(world::RealDisk);
    for part in ["tmp", "new", "cur"] {
        std::fs::create_dir_all(dir.path().join(".shop").join(part)).unwrap();
    }
    let deliver_to = async |index, address: &str| {
        let to = recipient(index, address, None);
        let place = (dir.path(), "+");
        deliver(&disk, place, &work(&to), &to, &BODY).await.unwrap();
    };
    deliver_to(0, "bert+Shop@ours.example").await;
    assert_eq!(names(dir.path(), ".shop/new").len(), 1);
    assert!(names(dir.path(), "new").is_empty());
    for (index, address) in [
        (1, "bert+other@ours.example"),
        (2, "bert+../x@ours.example"),
        (3, "bert+./.shop@ours.example"),
        (4, "+shop@ours.example"),
    ] {
        let Ok(_) = address.parse::<Address>() else {
            continue;
        };
        deliver_to(index, address).await;
    }
    assert_eq!(names(dir.path(), ".shop/new").len(), 1);
    assert_eq!(
        folder_name(&"b+../x@y".parse().unwrap_or(Address::null()), "+"),
        None
    );
}

#[tokio::test]
async fn mail_that_comes_back_to_a_mailbox_is_a_loop_and_other_mail_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let disk: Arc<dyn Disk> = Arc::new(world::RealDisk);
    let to = recipient(0, "bert@ours.example", None);
    let text = b"Delivered-To: Bert@Ours.example\r\n\r\nDelivered-To: x\r\n";
    let body = Body::Inline(Bytes::from_static(text));
    let looped = deliver(&disk, (dir.path(), "+"), &work(&to), &to, &body).await;
    assert!(
        matches!(looped, Err(MaildirError::Loop { times: 1, .. })),
        "{looped:?}"
    );
    let other = recipient(0, "carla@ours.example", None);
    deliver(&disk, (dir.path(), "+"), &work(&other), &other, &body)
        .await
        .unwrap();
}

/// A disk on which no more than the first few bytes of a file have room.
struct FullDisk;

struct FullFile(Box<dyn world::DiskFile>);

impl Write for FullFile {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        if buf.len() > 100 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.0.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl world::DiskFile for FullFile {
    fn sync(&mut self) -> io::Result<()> {
        self.0.sync()
    }
}

impl Disk for FullDisk {
    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        world::RealDisk.create_dir_all(path)
    }
    fn create(&self, path: &Path) -> io::Result<Box<dyn world::DiskFile>> {
        Ok(Box::new(FullFile(world::RealDisk.create(path)?)))
    }
    fn append(&self, path: &Path) -> io::Result<Box<dyn world::DiskFile>> {
        world::RealDisk.append(path)
    }
    fn exists(&self, path: &Path) -> io::Result<bool> {
        world::RealDisk.exists(path)
    }
    fn open(&self, path: &Path) -> io::Result<Box<dyn world::DiskRead>> {
        world::RealDisk.open(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        world::RealDisk.rename(from, to)
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        world::RealDisk.sync_dir(path)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        world::RealDisk.remove(path)
    }
    fn list(&self, path: &Path) -> io::Result<Vec<PathBuf>> {
        world::RealDisk.list(path)
    }
    fn free(&self, path: &Path) -> io::Result<world::Space> {
        world::RealDisk.free(path)
    }
}

#[tokio::test]
async fn a_full_disk_is_a_failure_of_ours_and_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let disk: Arc<dyn Disk> = Arc::new(FullDisk);
    let to = recipient(0, "bert@ours.example", None);
    let body = Body::Inline(Bytes::from(vec![b'x'; 2_000]));
    let failed = deliver(&disk, (dir.path(), "+"), &work(&to), &to, &body).await;
    assert!(matches!(failed, Err(MaildirError::Disk(_))), "{failed:?}");
    assert!(names(dir.path(), "tmp").is_empty() && names(dir.path(), "new").is_empty());
}

#[test]
fn line_ends_become_lf_wherever_the_pieces_are_cut() {
    let text = b"a\r\nb\rc\nd\r\r\n\r";
    let whole = unix_lines(text, &mut false, false);
    assert_eq!(whole, b"a\nb\rc\nd\r\n");
    for cut in 0..=text.len() {
        let mut carriage_return = false;
        let mut out = unix_lines(&text[..cut], &mut carriage_return, false);
        out.extend(unix_lines(&text[cut..], &mut carriage_return, false));
        out.extend(unix_lines(b"", &mut carriage_return, true));
        assert_eq!(out, b"a\nb\rc\nd\r\n\r", "cut at {cut}");
    }
}

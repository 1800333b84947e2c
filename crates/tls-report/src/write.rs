//! Reports as JSON (RFC 8460 §4.4).

use jiff::Timestamp;
use serde::Serialize;

use crate::model::{FailureDetail, PolicyReport, Report};

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Document<'a> {
    organization_name: &'a str,
    date_range: DateRange,
    contact_info: &'a str,
    report_id: &'a str,
    policies: Vec<Policies<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct DateRange {
    start_datetime: Option<String>,
    end_datetime: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Policies<'a> {
    policy: Policy<'a>,
    summary: Summary,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failure_details: Vec<Detail<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Policy<'a> {
    policy_type: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    policy_string: &'a [String],
    policy_domain: &'a str,
    // A list, as the example of appendix B has it, though the text of §4.4 has one string.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    mx_host: &'a [String],
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Summary {
    total_successful_session_count: u64,
    total_failure_session_count: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Detail<'a> {
    result_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sending_mta_ip: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    receiving_mx_hostname: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    receiving_mx_helo: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    receiving_ip: Option<&'a str>,
    failed_session_count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    additional_information: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_reason_code: Option<&'a str>,
}

/// The report as JSON.
#[must_use]
pub fn to_json(report: &Report) -> Vec<u8> {
    let at = |time: Option<Timestamp>| time.map(|time| time.to_string());
    let document = Document {
        organization_name: &report.organization,
        date_range: DateRange {
            start_datetime: at(report.start),
            end_datetime: at(report.end),
        },
        contact_info: &report.contact,
        report_id: &report.id,
        policies: report.policies.iter().map(of_policy).collect(),
    };
    // Neither its keys nor its values can fail to be written.
    serde_json::to_vec(&document).unwrap_or_default()
}

fn of_policy(of: &PolicyReport) -> Policies<'_> {
    Policies {
        policy: Policy {
            policy_type: of.policy.kind.as_str(),
            policy_string: &of.policy.lines,
            policy_domain: &of.policy.domain,
            mx_host: &of.policy.mx,
        },
        summary: Summary {
            total_successful_session_count: of.successes,
            total_failure_session_count: of.failures,
        },
        failure_details: of.details.iter().map(of_detail).collect(),
    }
}

fn of_detail(of: &FailureDetail) -> Detail<'_> {
    Detail {
        result_type: of.result.as_str(),
        sending_mta_ip: of.sending_ip.as_deref(),
        receiving_mx_hostname: of.mx.as_deref(),
        receiving_mx_helo: of.helo.as_deref(),
        receiving_ip: of.receiving_ip.as_deref(),
        failed_session_count: of.count,
        additional_information: of.more.as_deref(),
        failure_reason_code: of.reason.as_deref(),
    }
}
